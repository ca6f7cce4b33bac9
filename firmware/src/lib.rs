//! What the images of single crates share: a start that the optimiser cannot see through, and a panic that does not
//! link.
#![no_std]

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// Makes an image of one use of one crate: `fn() -> T`, called for ever.
///
/// Where a panic can be reached, its handler is in the image, and what that calls is nowhere: the linker refuses. An
/// image that links has shown that what it uses cannot panic.
#[macro_export]
macro_rules! alone {
    ($use_of_the_crate:expr) => {
        #[cortex_m_rt::entry]
        fn main() -> ! {
            loop {
                let _ = core::hint::black_box(($use_of_the_crate)());
            }
        }

        #[expect(unsafe_code, reason = "to name a symbol that is defined nowhere is the point")]
        mod unreachable {
            unsafe extern "C" {
                fn a_panic_can_be_reached() -> !;
            }

            #[panic_handler]
            fn on_panic(_: &core::panic::PanicInfo<'_>) -> ! {
                // SAFETY: never called: an image in which this is left does not link.
                unsafe { a_panic_can_be_reached() }
            }
        }
    };
}

/// A value of which the optimiser knows nothing but its type.
pub use core::hint::black_box as given;

/// A flash chip that is as good as none: what a mark over it costs is the mark's alone.
#[derive(Clone, Copy, Debug)]
pub struct Chip;

impl ErrorType for Chip {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 4;

    fn read(&mut self, _: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        given(bytes);
        given(Ok(()))
    }

    fn capacity(&self) -> usize {
        given(0x1000)
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        given(Ok(()))
    }

    fn write(&mut self, _: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        given(bytes);
        given(Ok(()))
    }
}
