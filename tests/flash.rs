//! Weights in flash: whatever byte of a save the power is cut at, the old weights or the new ones are there.
#![cfg(feature = "flash")]

use chainrule::weights::flash::{self, FlashError, SlotError};
use chainrule::weights::{Aligned, WeightsError};
use chainrule::{Dense, Identity, Parameters, Tanh, network};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use std::ops::Range;

network! {
    struct Net<T = f32>: 3 => 2 {
        hidden: Dense<3, 4, Tanh, T>,
        output: Dense<4, 2, Identity, T>,
    }
}

const PAGE: usize = 128;
/// Two pages a slot.
const SLOT: usize = 2 * PAGE;
const REGION: Range<u32> = 128..128 + 2 * SLOT as u32;
const LENGTH: usize = flash::slot_length::<Net>();
const _: () = assert!(LENGTH == 64 + 128 + 64 && LENGTH <= SLOT);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    PowerCut,
    Torn,
    Misuse(NorFlashErrorKind),
}

impl NorFlashError for Failure {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// What the power cut leaves of the word or the page that was on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tear {
    /// The bytes before the cut are done.
    Between,
    /// So they are, and one bit in two of the next byte.
    Bits,
    /// The word, or the whole page, holds anything.
    Anything,
    /// So it does, and the driver's error correction refuses to read it.
    Unreadable,
}

const TEARS: [Tear; 4] = [Tear::Between, Tear::Bits, Tear::Anything, Tear::Unreadable];

/// NOR flash in memory: erased to ones by the page, programmed by the word, each once, bits only to zero.
#[derive(Clone)]
struct Nor<const WORD: usize> {
    bytes: Aligned<[u8; 1024]>,
    programmed: [bool; 1024],
    unreadable: [bool; 1024],
    /// How many bytes may still change, and what becomes of the next.
    power: Option<(usize, Tear)>,
    /// Bits that have worn out and stay at one.
    stuck: Option<usize>,
    changed: usize,
    random: u32,
}

impl<const WORD: usize> Nor<WORD> {
    /// As it comes from the factory, or from another use.
    fn filled(byte: u8) -> Self {
        let bytes = Aligned([byte; 1024]);
        let (programmed, unreadable) = ([true; 1024], [false; 1024]);
        Self { bytes, programmed, unreadable, power: None, stuck: None, changed: 0, random: 1 }
    }

    fn any(&mut self) -> u8 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 24) as u8
    }

    /// Changes one byte, as far as there is power; `unit` is what is undefined once there is none.
    fn change(&mut self, at: usize, to: u8, unit: Range<usize>) -> Result<(), Failure> {
        if let Some((left, tear)) = &mut self.power {
            let tear = *tear;
            if *left == 0 {
                match tear {
                    Tear::Between => {}
                    Tear::Bits => self.bytes.0[at] = self.bytes.0[at] & 0x55 | to & 0xaa,
                    Tear::Anything => unit.for_each(|at| self.bytes.0[at] = self.any()),
                    Tear::Unreadable => unit.for_each(|at| self.unreadable[at] = true),
                }
                return Err(Failure::PowerCut);
            }
            *left -= 1;
        }
        self.bytes.0[at] = to;
        if let Some(bit) = self.stuck.filter(|bit| bit / 8 == at) {
            self.bytes.0[at] |= 1 << (bit % 8);
        }
        self.changed += 1;
        Ok(())
    }

    fn region(&self) -> &[u8] {
        // `view` wants it aligned.
        &self.bytes.0[REGION.start as usize..REGION.end as usize]
    }
}

impl<const WORD: usize> ErrorType for Nor<WORD> {
    type Error = Failure;
}

impl<const WORD: usize> ReadNorFlash for Nor<WORD> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failure> {
        check_read(self, offset, bytes.len()).map_err(Failure::Misuse)?;
        let place = offset as usize..offset as usize + bytes.len();
        if self.unreadable[place.clone()].contains(&true) {
            return Err(Failure::Torn);
        }
        bytes.copy_from_slice(&self.bytes.0[place]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        1024
    }
}

impl<const WORD: usize> NorFlash for Nor<WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Failure> {
        check_erase(self, from, to).map_err(Failure::Misuse)?;
        for page in (from as usize..to as usize).step_by(PAGE) {
            for at in page..page + PAGE {
                self.change(at, 0xff, page..page + PAGE)?;
            }
            self.programmed[page..page + PAGE].fill(false);
            self.unreadable[page..page + PAGE].fill(false);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failure> {
        check_write(self, offset, bytes.len()).map_err(Failure::Misuse)?;
        for (word, bytes) in (offset as usize..).step_by(WORD).zip(bytes.chunks(WORD)) {
            let unit = word..word + WORD;
            assert!(!self.programmed[unit.clone()].contains(&true), "a word is programmed once: {word}");
            self.programmed[unit.clone()].fill(true);
            for (at, byte) in unit.clone().zip(bytes) {
                self.change(at, self.bytes.0[at] & byte, unit.clone())?;
            }
        }
        Ok(())
    }
}

fn net(seed: u64) -> Net {
    Net::new(seed)
}

/// What is in flash by `load`, and by `view` where the flash can be read at all: the two never disagree.
fn found<const WORD: usize>(nor: &mut Nor<WORD>) -> Result<Net, FlashError<Failure>> {
    nor.power = None;
    let mut network = net(99);
    let loaded = flash::load(&mut network, nor, REGION);
    match &loaded {
        Ok(()) if nor.unreadable.contains(&true) => {}
        Ok(()) => assert_eq!(flash::view::<Net>(nor.region()), Ok(&network)),
        Err(_) => {
            assert_eq!(network, net(99), "the network has changed");
            assert!(flash::view::<Net>(nor.region()).is_err());
        }
    }
    loaded.map(|()| network)
}

/// Flash after `saves` saves of networks of seeds 1, 2 …
fn saved<const WORD: usize>(fill: u8, saves: u64) -> Nor<WORD> {
    let mut nor = Nor::filled(fill);
    for seed in 1..=saves {
        flash::save(&net(seed), &mut nor, REGION).unwrap();
        assert_eq!(found(&mut nor), Ok(net(seed)));
    }
    nor
}

/// Cuts the power at every byte of a save on `before`; returns how many cuts there were.
fn cut_everywhere<const WORD: usize>(before: &Nor<WORD>, also_then: &mut dyn FnMut(&Nor<WORD>)) -> usize {
    let old = found(&mut before.clone()).ok();
    let new = net(77);
    let mut complete = before.clone();
    complete.changed = 0;
    flash::save(&new, &mut complete, REGION).unwrap();
    for cut in 0..complete.changed {
        for tear in TEARS {
            let mut nor = before.clone();
            nor.power = Some((cut, tear));
            nor.random = (cut * 4 + tear as usize) as u32;
            assert_eq!(flash::save(&new, &mut nor, REGION), Err(FlashError::Driver(Failure::PowerCut)));
            let after = found(&mut nor).ok();
            // The last byte of all may be cut without a bit missing.
            assert!(after == old || after.as_ref() == Some(&new), "byte {cut}, {tear:?}: neither old nor new");
            assert!(after == old || cut + 64 > complete.changed, "byte {cut}, {tear:?}: new before its seal");
            also_then(&nor);
        }
    }
    complete.changed
}

/// And then the next save succeeds.
fn recovers<const WORD: usize>(nor: &Nor<WORD>) {
    let mut nor = nor.clone();
    flash::save(&net(88), &mut nor, REGION).unwrap();
    assert_eq!(found(&mut nor), Ok(net(88)));
}

#[test]
fn a_power_cut_at_every_byte_leaves_the_old_weights_or_the_new() {
    for fill in [0xff, 0x00, 0x5a] {
        for saves in 0..4 {
            assert_eq!(cut_everywhere(&saved::<4>(fill, saves), &mut recovers), SLOT + LENGTH);
        }
    }
    cut_everywhere(&saved::<1>(0xff, 2), &mut recovers);
    cut_everywhere(&saved::<8>(0xff, 2), &mut recovers);
    cut_everywhere(&saved::<64>(0xff, 3), &mut recovers);
}

#[test]
fn and_so_does_a_second_cut_while_it_recovers() {
    let mut count = 0;
    cut_everywhere(&saved::<4>(0xff, 2), &mut |nor| {
        count += 1;
        if count % 97 == 0 {
            cut_everywhere(nor, &mut |_| {});
        }
    });
}

#[test]
fn every_flipped_bit_is_refused_or_leaves_the_older_weights() {
    let (one, two) = (saved::<4>(0xff, 1), saved::<4>(0xff, 2));
    for bit in 0..8 * LENGTH {
        let flipped = |mut nor: Nor<4>, slot: usize| {
            nor.bytes.0[REGION.start as usize + slot * SLOT + bit / 8] ^= 1 << (bit % 8);
            found(&mut nor)
        };
        let error = flipped(one.clone(), 0).unwrap_err();
        let FlashError::NoWeights(SlotError::Weights(error)) = error else { panic!("bit {bit}: {error}") };
        assert!(bit < 8 * (LENGTH - 64) || error == WeightsError::Unfinished, "bit {bit}: {error}");
        assert_eq!(flipped(two.clone(), 0), Ok(net(2)), "bit {bit} of the older");
        assert_eq!(flipped(two.clone(), 1), Ok(net(1)), "bit {bit} of the newer");
    }
}

#[test]
fn erased_zeroed_and_foreign_flash() {
    for (fill, word) in [(0xff, "erased memory?"), (0x00, "never written?"), (0x5a, "not a weights file")] {
        let error = found(&mut Nor::<4>::filled(fill)).unwrap_err();
        assert!(error.to_string().ends_with(word), "{error}");
    }
    network! { struct Other<T = f32>: 3 => 2 { renamed: Dense<3, 4, Tanh, T>, output: Dense<4, 2, Identity, T> } }
    let mut nor = saved::<4>(0xff, 2);
    let error = flash::load(&mut Other::<f32>::new(1), &mut nor, REGION).unwrap_err();
    assert!(matches!(error, FlashError::NoWeights(SlotError::Weights(WeightsError::Architecture { .. }))), "{error}");
    // Its own save is then found in the slot that the other network had.
    flash::save(&Other::<f32>::new(3), &mut nor, REGION).unwrap();
    assert_eq!(*flash::view::<Other>(nor.region()).unwrap(), Other::new(3));
}

#[test]
fn what_the_flash_does_not_hold_is_reported_and_the_old_weights_stay() {
    let before = saved::<4>(0xff, 2);
    let mut expected = before.clone();
    flash::save(&net(7), &mut expected, REGION).unwrap();
    let mut stuck = 0;
    for bit in 8 * REGION.start as usize..8 * (REGION.start as usize + LENGTH) {
        let zero = expected.bytes.0[bit / 8] & 1 << (bit % 8) == 0;
        let mut nor = before.clone();
        nor.stuck = Some(bit);
        let result = flash::save(&net(7), &mut nor, REGION);
        assert_eq!(matches!(result, Err(FlashError::NotHeld(_))), zero, "bit {bit}: {result:?}");
        assert_eq!(found(&mut nor), Ok(net(if zero { 2 } else { 7 })));
        stuck += usize::from(zero);
    }
    assert!(stuck > 500);
}

#[test]
fn regions_and_networks_that_cannot_be_saved() {
    let before = saved::<4>(0xff, 1);
    let misfits = [
        0..2 * SLOT as u32 - 2 * PAGE as u32,
        64..64 + 2 * SLOT as u32,
        128..128 + 2 * SLOT as u32 + 128,
        640..1024 + 128,
        Range { start: 1024, end: 0 },
    ];
    for region in misfits {
        let mut nor = before.clone();
        let error = flash::save(&net(2), &mut nor, region.clone()).unwrap_err();
        assert_eq!(error, FlashError::Region { least: LENGTH, multiple: PAGE, found: region });
        assert!(error.to_string().contains("expected") && error.to_string().contains("found"), "{error}");
        assert_eq!(nor.bytes.0, before.bytes.0);
    }
    let mut network = net(2);
    network.output.bias[1] = f32::NAN;
    let mut nor = before.clone();
    let error = flash::save(&network, &mut nor, REGION).unwrap_err();
    assert!(matches!(error, FlashError::Weights(WeightsError::NotFinite { element: 1, .. })), "{error}");
    assert_eq!(nor.bytes.0, before.bytes.0, "nothing was erased");

    for length in 0..2 * LENGTH {
        let error = flash::view::<Net>(&before.region()[..length]).unwrap_err();
        assert!(matches!(error, FlashError::Region { .. }), "{length}: {error}");
    }
    let misaligned = flash::view::<Net>(&[&[0], before.region()].concat()[1..]).map(|_| ());
    assert!(matches!(misaligned, Ok(()) | Err(FlashError::Weights(WeightsError::Alignment { .. }))));
}

/// The numbers of saves wrap around, and the slots take turns.
#[test]
fn sequence_numbers() {
    let mut nor = saved::<4>(0xff, 1);
    // Save number 2³² − 1 in slot 1: its seal, made by hand as docs/format.md has it.
    flash::save(&net(2), &mut nor, REGION).unwrap();
    let slot = REGION.start as usize + SLOT;
    let seal = slot + LENGTH - 64;
    let sequence = u32::MAX.to_le_bytes();
    let checked = [&sequence[..], &nor.bytes.0[slot + 56..slot + 60]].concat();
    nor.bytes.0[seal..seal + 4].copy_from_slice(&sequence);
    nor.bytes.0[seal + 4..seal + 8].copy_from_slice(&crc32fast::hash(&checked).to_le_bytes());
    // Slot 0 still has number 0, which comes after it.
    assert_eq!(found(&mut nor), Ok(net(1)));
    flash::save(&net(3), &mut nor, REGION).unwrap();
    assert_eq!(nor.bytes.0[seal..seal + 4], 1_u32.to_le_bytes());
    assert_eq!(found(&mut nor), Ok(net(3)));
    flash::save(&net(4), &mut nor, REGION).unwrap();
    assert_eq!(nor.bytes.0[seal - SLOT..seal - SLOT + 4], 2_u32.to_le_bytes());
    assert_eq!(found(&mut nor), Ok(net(4)));
}
