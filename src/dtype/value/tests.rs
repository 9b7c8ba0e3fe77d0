use super::*;
use crate::bytes::Widths;
use crate::dtype::{Conversion, H5Type, NoHeap, ObjectReference, Plan, RegionReference, Scratch};
use crate::format::message::datatype::{
    ByteOrder, Datatype, FloatType, IntegerType, Normalization,
};
use alloc::vec;
use proptest::prelude::*;

fn order(number: u8) -> ByteOrder {
    match number % 3 {
        0 => ByteOrder::LittleEndian,
        1 => ByteOrder::BigEndian,
        _ => ByteOrder::Vax,
    }
}

/// Reads as a value and as numbers; only that nothing panics is asked.
fn read(datatype: &Datatype, bytes: &[u8]) {
    let size = datatype.size() as usize;
    let _ = Node::new(datatype).read_all(bytes, size, &mut NoHeap);
    if size == 0 {
        return;
    }
    let whole = &bytes[..bytes.len() / size * size];
    for plan in [
        Plan::new::<i8>(datatype, Conversion::Soft, Widths::EIGHT),
        Plan::new::<f64>(datatype, Conversion::Soft, Widths::EIGHT),
        Plan::new::<crate::dtype::F128>(datatype, Conversion::Checked, Widths::EIGHT),
    ]
    .into_iter()
    .flatten()
    {
        let mut out = vec![0; plan.converted_len(whole.len()).unwrap()];
        let mut heap = NoHeap;
        let _ = plan.run(whole, &mut out, &mut Scratch::new(&mut heap));
    }
}

proptest! {
    #[test]
    fn integers_of_any_layout_are_read(
        size in 0..20_u32, bits in any::<(u8, bool, u16, u16)>(), small: bool, bytes: Vec<u8>,
    ) {
        let cut = |number: u16| if small { number % 70 } else { number };
        let integer = IntegerType {
            size,
            order: order(bits.0),
            signed: bits.1,
            bit_offset: cut(bits.2),
            precision: cut(bits.3),
            low_pad: false,
            high_pad: false,
        };
        read(&Datatype::Integer(integer), &bytes);
        read(&Datatype::Bitfield(integer), &bytes);
        let base = Box::new(Datatype::Integer(integer));
        read(&Datatype::Enum { base, members: vec![("A".into(), vec![1]), ("B".into(), vec![])] }, &bytes);
    }

    #[test]
    fn floats_of_any_layout_are_read(
        size in 0..20_u32, at in any::<(u8, u8, u8)>(), sizes in any::<(u8, u8)>(), bias: u32, how in any::<(u8, u8)>(),
        small: bool, bytes: Vec<u8>,
    ) {
        let cut = |number: u8| if small { number % 24 } else { number };
        let float = FloatType {
            size,
            order: order(how.0),
            bit_offset: 0,
            precision: 8,
            sign_location: cut(at.0),
            exponent_location: cut(at.1),
            exponent_size: cut(sizes.0),
            mantissa_location: cut(at.2),
            mantissa_size: cut(sizes.1),
            exponent_bias: if small { bias % 5000 } else { bias },
            normalization: match how.1 % 3 {
                0 => Normalization::None,
                1 => Normalization::MostSignificantSet,
                _ => Normalization::Implied,
            },
            low_pad: false,
            high_pad: false,
            internal_pad: false,
        };
        read(&Datatype::Float(float), &bytes);
        let base = Box::new(Datatype::Float(float));
        read(&Datatype::Complex { size: 2 * size, flags: 0, base }, &bytes);
    }

    #[test]
    fn any_bytes_are_values_or_an_error(bytes: Vec<u8>, kind in 0..6_u8) {
        read(&Datatype::Reference { size: 18, kind, version: 1 }, &bytes);
        read(&ObjectReference::datatype(), &bytes);
        read(&RegionReference::datatype(), &bytes);
        let sequence = Datatype::VarLenSequence { size: 16, base: Box::new(alloc::string::String::datatype()) };
        read(&sequence, &bytes);
        read(&Datatype::Array { dims: vec![2, 2], base: Box::new(sequence) }, &bytes);
        read(&Datatype::Time { size: 4, order: ByteOrder::BigEndian, precision: 31 }, &bytes);
    }
}

#[test]
fn numbers_are_given_out_where_they_are_exact() {
    assert_eq!(Value::Integer(0).as_f64(), Some(0.0));
    assert_eq!(
        Value::Integer(i128::MIN).as_f64(),
        Some(-(2.0_f64.powi(127)))
    );
    assert_eq!(Value::Integer(-((1 << 53) + 1)).as_f64(), None);
    assert_eq!(Value::F80(F80::from(u64::MAX)).as_f64(), None);
    assert_eq!(Value::F128(F128::from(0.1)).as_f64(), Some(0.1));
    assert_eq!(Value::Bitfield(u128::MAX).as_integer(), None);
}
