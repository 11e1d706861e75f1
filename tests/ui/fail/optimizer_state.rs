use chainrule::{Adam, Dense, Identity, Optimizer, Zeroed};

type Small = Dense<2, 1, Identity>;
type Large = Dense<20, 10, Identity>;

fn main() {
    let mut network = Small::ZEROED;
    let gradient = Small::ZEROED;
    let mut state = <Adam as Optimizer>::State::<Large>::ZEROED;
    let _ = Adam::new(0.1).unwrap().step(1, &mut network, &gradient, &mut state);
}
