//! Borrowing without copying, in both directions, mutably too: asserted by the addresses.

use chainrule::{Dense, Identity, Layer, Matrix, Parameters, Vector, Zeroed};
use nalgebra::{SMatrix, SMatrixView, SVector};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

fn example() -> Matrix<2, 3> {
    Matrix::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

/// nalgebra's `SMatrix` is stored column by column, as a matrix is here: `data.0` is the array of columns.
#[test]
fn nalgebra_to_chainrule() {
    let mut theirs = SMatrix::<f32, 2, 3>::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
    let start = theirs.as_ptr();
    let ours = Matrix::from_columns_ref(&theirs.data.0);
    assert_eq!(ours, &example());
    assert!(std::ptr::eq(ours.as_slice().as_ptr(), start));

    let ours = Matrix::from_columns_mut(&mut theirs.data.0);
    assert!(std::ptr::eq(ours.as_slice().as_ptr(), start));
    ours[(1, 2)] = 60.0;
    assert_eq!(theirs[(1, 2)], 60.0);

    // What has no static shape has a slice, whose length is checked.
    let dynamic = nalgebra::DMatrix::from_row_slice(2, 3, &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let ours = Matrix::<2, 3>::from_slice_ref(dynamic.as_slice()).unwrap();
    assert!(std::ptr::eq(ours.as_slice().as_ptr(), dynamic.as_ptr()));
    assert_eq!(ours, &example());
    assert_eq!(
        Matrix::<2, 2>::from_slice_ref(dynamic.as_slice()).unwrap_err().to_string(),
        "expected 4 elements, found 6"
    );
}

/// And back: a view over our elements.
#[test]
fn chainrule_to_nalgebra() {
    let mut ours = example();
    let start = ours.as_slice().as_ptr();
    let theirs = SMatrixView::<f32, 2, 3>::from_slice(ours.as_slice());
    assert_eq!(theirs, SMatrix::<f32, 2, 3>::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
    assert!(std::ptr::eq(theirs.as_ptr(), start));

    let mut theirs = nalgebra::SMatrixViewMut::<f32, 2, 3>::from_slice(ours.as_mut_slice());
    theirs[(0, 1)] = 20.0;
    assert_eq!(ours[(0, 1)], 20.0);

    let theirs = nalgebra::DMatrixView::from_slice(ours.as_slice(), 2, 3);
    assert_eq!((theirs[(1, 2)], theirs.as_ptr()), (6.0, start));
}

/// A network reads nalgebra's vector where it stands.
#[test]
fn predict_on_a_vector_of_nalgebra() {
    let layer = Dense::<2, 2, Identity>::new(1);
    let x = SVector::<f32, 2>::new(0.5, -1.0);
    let mut scratch = Zeroed::ZEROED;
    let y = layer.predict(Vector::from_array_ref(&x.data.0[0]), &mut scratch);
    let w = SMatrix::<f32, 2, 2>::from_column_slice(layer.weights.as_slice());
    let expected = w * x;
    for j in 0..2 {
        assert!((y[j] - expected[j]).abs() <= 1e-6);
    }
}

/// ndarray lets either order be chosen: `.f()` is column by column.
#[test]
fn ndarray_to_chainrule() {
    let mut theirs = Array2::from_shape_vec((2, 3).f(), vec![1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap();
    let start = theirs.as_ptr();
    let ours = Matrix::<2, 3>::from_slice_ref(theirs.as_slice_memory_order().unwrap()).unwrap();
    assert_eq!(ours, &example());
    assert!(std::ptr::eq(ours.as_slice().as_ptr(), start));
    Matrix::<2, 3>::from_slice_mut(theirs.as_slice_memory_order_mut().unwrap()).unwrap()[(1, 0)] = 40.0;
    assert_eq!(theirs[(1, 0)], 40.0);

    // In ndarray's own order, rows of samples are our columns of samples: the transpose, still without a copy.
    let samples = ndarray::array![[1.0_f32, 4.0], [2.0, 5.0], [3.0, 6.0]];
    let batch = Matrix::<2, 3>::from_slice_ref(samples.as_slice().unwrap()).unwrap();
    assert_eq!(batch, &example());
    assert!(std::ptr::eq(batch.as_slice().as_ptr(), samples.as_ptr()));
}

/// And back: a view over our elements.
#[test]
fn chainrule_to_ndarray() {
    let mut ours = example();
    let start = ours.as_slice().as_ptr();
    let theirs = ArrayView2::from_shape((2, 3).f(), ours.as_slice()).unwrap();
    assert_eq!(theirs, ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert!(std::ptr::eq(theirs.as_ptr(), start));
    let samples = ArrayView2::from_shape((3, 2), ours.as_slice()).unwrap();
    assert_eq!((samples[(2, 1)], samples.as_ptr()), (6.0, start));
    ArrayViewMut2::from_shape((2, 3).f(), ours.as_mut_slice()).unwrap()[(0, 2)] = 30.0;
    assert_eq!(ours[(0, 2)], 30.0);
}

/// Plain arrays and slices, such as the buffer of a driver.
#[test]
fn arrays_and_slices() {
    let mut buffer = [0.5_f32, -1.0, 2.0];
    let start = buffer.as_ptr();
    assert!(std::ptr::eq(<&Vector<3>>::from(&buffer).as_slice().as_ptr(), start));
    <&mut Vector<3>>::from(&mut buffer)[1] = 7.0;
    assert_eq!(buffer, [0.5, 7.0, 2.0]);
    let x = Vector::from_array_mut(&mut buffer);
    let back: &mut [f32; 3] = x.as_mut_array();
    assert!(std::ptr::eq(back.as_ptr(), start));
}
