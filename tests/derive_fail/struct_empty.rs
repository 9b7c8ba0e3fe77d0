use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Nothing;

#[derive(H5Type, Clone)]
struct Phantom<T: Clone + Send + Sync + 'static>(std::marker::PhantomData<T>);

fn main() {}
