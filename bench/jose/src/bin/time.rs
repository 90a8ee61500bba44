//! CPU time of this library, the primitive and the floor.

fn main() {
    bench_jose_harness::serve(bench_jose::cases, bench_jose_harness::cpu_time);
}
