//! What the firmwares share: data in flash, pages for the weights, figures, and the report.

#![no_std]

pub mod count;
pub mod digits;
pub mod pages;
pub mod report;
pub mod same_bits;
pub mod stack;
