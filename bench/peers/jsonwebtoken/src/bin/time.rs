//! CPU time of its cases.

fn main() {
    bench_jose_harness::serve(bench_peer_jsonwebtoken::cases, bench_jose_harness::cpu_time);
}
