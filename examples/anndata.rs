//! An AnnData file: counts as a sparse matrix in compressed rows, a table of cells and a table of genes. Every group and
//! every dataset says how it is encoded.
//!
//! `cargo run --example anndata -- OUT.h5ad`

use h5quill::{File, Group, Location, Result};

fn encoded(object: &Location, what: &str, version: &str) -> Result<()> {
    object.set_attr("encoding-type", what)?;
    object.set_attr("encoding-version", version)
}

/// A table, with the names of its rows and the order of its columns.
fn dataframe(file: &File, name: &str, rows: &[&str], columns: &[&str]) -> Result<Group> {
    let group = file.create_group(name)?;
    encoded(&group, "dataframe", "0.2.0")?;
    group.set_attr("_index", "_index")?;
    group.set_attr("column-order", columns)?;
    strings(&group, "_index", rows)?;
    Ok(group)
}

fn strings(group: &Group, name: &str, values: &[&str]) -> Result<()> {
    let column = group.new_dataset::<String>().create_with(name, values)?;
    encoded(&column, "string-array", "0.2.0")
}

pub(crate) fn write(path: &str) -> Result<()> {
    let file = File::create(path)?;
    encoded(&file, "anndata", "0.1.0")?;

    // 0 1 0
    // 2 0 3
    let x = file.create_group("X")?;
    encoded(&x, "csr_matrix", "0.1.0")?;
    x.set_attr("shape", [2_i64, 3])?;
    x.new_dataset::<f32>()
        .create_with("data", &[1.0, 2.0, 3.0])?;
    x.new_dataset::<i32>().create_with("indices", &[1, 0, 2])?;
    x.new_dataset::<i32>().create_with("indptr", &[0, 1, 3])?;

    let obs = dataframe(&file, "obs", &["cell1", "cell2"], &["n_counts", "cluster"])?;
    let counts = obs
        .new_dataset::<f64>()
        .create_with("n_counts", &[1.0, 5.0])?;
    encoded(&counts, "array", "0.2.0")?;
    let cluster = obs.create_group("cluster")?;
    encoded(&cluster, "categorical", "0.2.0")?;
    cluster.set_attr("ordered", false)?;
    strings(&cluster, "categories", &["B cell", "T cell"])?;
    let codes = cluster.new_dataset::<i8>().create_with("codes", &[0, 1])?;
    encoded(&codes, "array", "0.2.0")?;

    let var = dataframe(&file, "var", &["ENSG1", "ENSG2", "ENSG3"], &["symbol"])?;
    strings(&var, "symbol", &["CD19", "CD3E", "ACTB"])?;

    for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
        let group = file.create_group(name)?;
        encoded(&group, "dict", "0.1.0")?;
    }
    file.close()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: anndata OUT.h5ad")?;
    Ok(write(&path)?)
}
