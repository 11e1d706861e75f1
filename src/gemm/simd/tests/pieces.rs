//! A product run in pieces, in whatever order, has the bits of the whole one.

use super::*;

/// One piece, turned, in strips where it can, or neither.
struct Cut<T>(Product<T>, Way, Piece);

#[derive(Clone, Copy, Debug)]
enum Way {
    Panels,
    LargePanels,
    Turned,
    Strips,
}

impl<T: Float> Kernel<T> for Cut<T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let Cut(p, way, piece) = self;
        // SAFETY: the test makes views of arrays of the product's sizes.
        unsafe {
            match way {
                Way::Panels => product::in_panels::<V, PANEL>(p, false, piece),
                Way::LargePanels => product::in_panels::<V, LARGE_PANEL>(p, false, piece),
                Way::Turned => product::in_panels::<V, PANEL>(p.transposed(), true, piece),
                Way::Strips => product::in_strips::<V, LARGE_PANEL>(p, piece),
            }
        }
    }
}

fn have_the_bits_of_the_whole<T: Number>() {
    let mut random = Random(3);
    let sizes = [[1, 7, 1], [17, 9, 33], [100, 40, 65], [130, 600, 20], [20, 1030, 65], [65, 300, 130]];
    for [rows, depth, columns] in sizes {
        let mut a = Guarded::new(rows * depth, 0, || random.any());
        let mut b = Guarded::new(depth * columns, 0, || random.any());
        let start: Vec<T> = (0..rows * columns).map(|_| random.any()).collect();
        let ways = [
            (Way::Panels, false),
            (Way::Panels, true),
            (Way::LargePanels, true),
            (Way::Turned, false),
            (Way::Turned, true),
            (Way::Strips, false),
        ];
        for (isa, way, across) in Isa::available().flat_map(|isa| ways.map(|(way, across)| (isa, way, across))) {
            let a = if across { a.view(depth).transposed() } else { a.view(rows) };
            let b = if matches!(way, Way::Strips) { b.view(columns).transposed() } else { b.view(depth) };
            let run = |of: usize| {
                let mut c = Guarded::new(rows * columns, 0, || T::NAN);
                c.all[c.from..c.from + c.len].copy_from_slice(&start);
                let view = c.view(rows);
                for number in (0..of).rev() {
                    let product =
                        Product { rows, depth, columns, whole: columns, a, b, start: Some(view), rate: None, c: view };
                    T::enter(isa, Cut(product, way, Piece { part: number..number + 1, of }));
                }
                assert!(c.guards_hold());
                c
            };
            let whole = run(1);
            for of in [2, 3, 7, 1000] {
                let same = run(of).get().iter().zip(whole.get()).all(|(x, y)| x.is_same_as(*y));
                assert!(same, "{isa:?} {rows}×{depth}×{columns} {way:?}, across: {across}, {of} pieces");
            }
        }
    }
}

#[test]
fn have_the_bits_of_the_whole_f32() {
    have_the_bits_of_the_whole::<f32>();
}

#[test]
fn have_the_bits_of_the_whole_f64() {
    have_the_bits_of_the_whole::<f64>();
}
