//! The flash pages behind the program, as a driver of embedded-storage. QEMU's boards have RAM there, so it is made to
//! behave as flash does: erased to ones by the page, written by the word, bits only to zero. On a device of yours the
//! driver is that of its HAL.

use core::ops::Range;
use core::slice;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

unsafe extern "C" {
    static _weights_start: u32;
    static _weights_end: u32;
}

/// All pages; whoever has them may write.
pub struct Pages(());

impl Pages {
    /// The pages.
    ///
    /// # Safety
    ///
    /// Once in a program, and no reference to a page may live while that page is written.
    pub unsafe fn take() -> Self {
        Self(())
    }

    /// Where they are for a driver: from 0, as offsets of `ReadNorFlash` are.
    pub fn region(&self) -> Range<u32> {
        0..self.capacity() as u32
    }

    /// Where they are for the processor, to be read in place.
    pub fn bytes<'a>(&self) -> &'a [u8] {
        // SAFETY: the pages of memory.x are readable at any time; `take` has the promise that none of them is written
        // under a reference.
        unsafe { slice::from_raw_parts((&raw const _weights_start).cast(), self.capacity()) }
    }

    /// CRC-32 of all pages: whether any of them has changed.
    pub fn checksum(&self) -> u32 {
        Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC).checksum(self.bytes())
    }

    /// Flips a bit, as no flash would: to see that it is noticed.
    pub fn damage(&mut self, bit: usize) {
        if bit / 8 < self.capacity() {
            // SAFETY: inside the pages, and `take`.
            unsafe {
                let byte = (&raw const _weights_start).cast::<u8>().cast_mut().add(bit / 8);
                byte.write_volatile(byte.read_volatile() ^ 1 << (bit % 8));
            }
        }
    }

    /// Word number `i`, within the capacity.
    fn word(&mut self, i: usize) -> *mut u32 {
        (&raw const _weights_start).cast_mut().wrapping_add(i)
    }
}

impl ErrorType for Pages {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Pages {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let found = self.bytes().get(offset as usize..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(found.ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        (&raw const _weights_end).addr() - (&raw const _weights_start).addr()
    }
}

impl NorFlash for Pages {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for i in from as usize / 4..to as usize / 4 {
            // SAFETY: `check_erase` found it inside the pages; `take`.
            unsafe { self.word(i).write_volatile(u32::MAX) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (i, bytes) in (offset as usize / 4..).zip(bytes.as_chunks().0) {
            let word = self.word(i);
            // SAFETY: `check_write` found it inside the pages; `take`.
            unsafe { word.write_volatile(word.read_volatile() & u32::from_le_bytes(*bytes)) };
        }
        Ok(())
    }
}
