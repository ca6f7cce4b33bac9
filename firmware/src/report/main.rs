//! The crates at work on the processor: a report, one fact a line, and an exit code, through the debugger.
//!
//! A fact that does not hold ends the run with what was found in its place.
#![no_std]
#![no_main]

mod causal;
mod fencing;
mod flash;
mod hostile;
mod logical;
mod outcome;
mod ram_flash;
mod shared;
mod systick;
mod timer;
mod wire;

use core::panic::PanicInfo;

use cortex_m_semihosting::debug;

use outcome::{Outcome, say};

#[cortex_m_rt::entry]
fn main() -> ! {
    say!("clocks on {}", env!("FIRMWARE_TARGET"));
    end(run())
}

fn run() -> Outcome {
    let Some(mut timer) = systick::SysTick::take() else {
        say!("wrong: the peripherals were taken before");
        return Err(outcome::Failed);
    };
    timer::report(&mut timer)?;
    shared::report(&mut timer)?;
    logical::report()?;
    causal::report()?;
    flash::report()?;
    fencing::report()?;
    hostile::report()?;
    wire::report()?;
    say!("all of it held");
    Ok(())
}

fn end(outcome: Outcome) -> ! {
    if outcome.is_ok() {
        debug::exit(debug::EXIT_SUCCESS);
    }
    debug::exit(debug::EXIT_FAILURE);
    // Where no debugger listens, an exit returns.
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    say!("panic: {info}");
    end(Err(outcome::Failed))
}
