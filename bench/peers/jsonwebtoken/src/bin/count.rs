//! Allocations of its cases.

use bench_jose_harness::Sample;

fn main() {
    bench_jose_harness::serve(bench_peer_jsonwebtoken::cases, |run| {
        let counted = allocation_counter::measure(run);
        Sample { nanoseconds: 0, allocations: counted.count_total, bytes: counted.bytes_total }
    });
}
