# Part of ./check: instructions counted on the emulated Cortex-M4F, beside the rivals in rivals/, and compared with those
# of instructions.csv. More than there is an error; UPDATE=1 writes them anew.

instructions() {
    local headers=$CARGO_TARGET_DIR/rltools rivals=$CARGO_TARGET_DIR/rivals found=$CARGO_TARGET_DIR/instructions.csv
    local source compiler=rustc
    from_source $m4 && compiler=/usr/bin/rustc
    compiler=$("$compiler" --version | cut -d ' ' -f 1,2)
    local flags=(-O3 -ffast-math -mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
    [ -d "$headers" ] || python3 -m pip install -q --root-user-action ignore --no-deps --target "$headers" rltools==2.2.1
    mkdir -p "$rivals"
    for source in column.c textbook.c; do
        arm-none-eabi-gcc "${flags[@]}" -c "rivals/$source" -o "$rivals/${source%.*}.o"
    done
    arm-none-eabi-g++ "${flags[@]}" -std=c++17 -fno-exceptions -fno-rtti \
        -I "$headers/rltools/external/rl_tools/include" -c rivals/rltools.cpp -o "$rivals/rltools.o"
    arm-none-eabi-gcc "${flags[@]}" -r -nostdlib "$rivals"/{column,textbook,rltools}.o \
        -Wl,--start-group -lm -lc -lgcc -Wl,--end-group -o "$rivals/all.elf"
    RIVALS=$rivals/all.elf build $m4 --features report,simd --bin instructions

    run mps2-an386 $m4 instructions -icount shift=8 | tee "$rivals/counts.txt"
    sed -nE 's/^(\S+) (inference|training step): ([0-9]+) instructions.*/\1,\2,\3/p' "$rivals/counts.txt" > "$rivals/rows.csv"
    { echo "$compiler,what,instructions" && cat "$rivals/rows.csv"; } > "$found"
    if [ -n "${UPDATE:-}" ]; then
        cp "$found" instructions.csv
    elif [ "$(head -1 "$found")" != "$(head -1 instructions.csv)" ]; then
        echo "instructions: not compared, since instructions.csv is of another compiler"
    else
        # One in a hundred more, since a change elsewhere may move a few.
        awk -F , 'NR == FNR { most[$1, $2] = 1.01 * $3; rows = FNR; next }
            FNR > 1 && !($3 <= most[$1, $2]) { print $1, $2 ": " $3 " instructions, at most", most[$1, $2]; failed = 1 }
            END { exit failed || FNR != rows }' instructions.csv "$found"
        echo "instructions: none more than a hundredth above instructions.csv"
    fi
}
