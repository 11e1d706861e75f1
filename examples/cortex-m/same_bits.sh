# Part of ./check: the thousand steps of src/same_bits.rs, here, on three microcontrollers and in WebAssembly.

same_bits() {
    (unset CARGO_TARGET_DIR && cd ../.. && cargo test -q --test same_bits > /dev/null)
    local board target boards=(mps2-an386:$m4 mps2-an505:thumbv8m.main-none-eabihf mps2-an385:thumbv7m-none-eabi)
    local machines; machines=$(uname -m | tr _ -)
    for board in "${boards[@]}"; do
        target=${board#*:}
        build "$target" --features report --bin same_bits
        run "${board%%:*}" "$target" same_bits
        machines+=", ${target%%-*}"
    done
    build wasm32-unknown-unknown --manifest-path ../wasm/Cargo.toml
    node ../wasm/run.mjs "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/chainrule_wasm.wasm"
    echo "same bits: yes ($machines, wasm32)"
}
