use super::*;
use proptest::prelude::*;

/// The places of all elements, in their order.
fn places(elements: &Elements, dims: &[u64]) -> Vec<u64> {
    let mut places = Vec::new();
    for read in elements.reads(dims) {
        let mut at: Vec<u64> = vec![0; dims.len()];
        let counts: Vec<usize> = read.counts().iter().map(|count| *count as usize).collect();
        loop {
            let coordinates: Vec<u64> = read
                .axes
                .iter()
                .zip(&at)
                .map(|(axis, at)| axis.start + at * axis.step)
                .collect();
            places.push(place(&coordinates, dims).unwrap());
            if !step(&mut at, &counts) {
                break;
            }
        }
    }
    places
}

proptest! {
    #[test]
    fn a_hyperslab_has_the_product_of_its_indices(axes in proptest::array::uniform3((0..3_u64, 1..4_u64, 1..4_u64, 0..3_u64))) {
        let axes = axes.map(|(start, count, block, gap)| HyperslabAxis {
            start, stride: block + gap, count: Some(count), block: Some(block),
        });
        let dims = [20, 21, 22];
        let elements = Elements::new(&StoredSelection::Hyperslab(axes.to_vec()), &dims).unwrap();
        let indices = axes.map(|axis| {
            (0..axis.count.unwrap())
                .flat_map(|number| (0..axis.block.unwrap()).map(move |at| axis.start + number * axis.stride + at))
                .collect::<Vec<_>>()
        });
        let mut expected = Vec::new();
        for a in &indices[0] {
            for b in &indices[1] {
                expected.extend(indices[2].iter().map(|c| (a * 21 + b) * 22 + c));
            }
        }
        prop_assert_eq!(places(&elements, &dims), expected);
        let shape: Vec<usize> = indices.iter().map(Vec::len).collect();
        prop_assert_eq!(elements.shape(), shape);
    }

    #[test]
    fn blocks_are_a_union(blocks in proptest::collection::vec([(0..6_u64, 0..3_u64), (0..6_u64, 0..3_u64)], 1..6)) {
        let dims = [8, 9];
        let mut corners = Vec::new();
        let mut expected = alloc::collections::BTreeSet::new();
        for [(top, height), (left, width)] in &blocks {
            corners.extend([*top, *left, top + height, left + width]);
            for row in *top..=top + height {
                expected.extend((*left..=left + width).map(|column| row * 9 + column));
            }
        }
        let elements = Elements::new(&StoredSelection::Blocks { rank: 2, corners }, &dims).unwrap();
        prop_assert_eq!(places(&elements, &dims), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_lies_outside_is_an_error(coordinates in proptest::collection::vec(0..5_u64, 0..8)) {
        let coordinates = coordinates[..coordinates.len() / 2 * 2].to_vec();
        let dims = [3, 4];
        let inside = coordinates.chunks(2).all(|point| point[0] < 3 && point[1] < 4);
        let elements = Elements::new(&StoredSelection::Points { rank: 2, coordinates }, &dims);
        prop_assert_eq!(elements.is_ok(), inside);
    }
}
