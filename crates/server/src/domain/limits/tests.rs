use std::{
    collections::HashMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_790_000_000);
const LOOSE: Rate = Rate { burst: 1_000_000, every: Duration::from_micros(1) };

fn limits(address: Rate, global: Rate) -> AddressLimits {
    AddressLimits::new(address, global, [7; 16])
}

fn v4(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(n).into()
}

// LOG-06: free, then exponential, then a constant.
#[test]
fn account_delays_double_up_to_the_cap() {
    let limit = AccountLimit { free: 5 };
    let delays: Vec<u64> = (0..=17).map(|failures| limit.delay_after(failures).as_secs()).collect();
    assert_eq!(delays, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    assert_eq!(limit.delay_after(u32::MAX), AccountLimit::MAX_DELAY);
}

// LOG-06: a patient guesser gets about a hundred guesses a day at most.
#[test]
fn a_guesser_gets_few_guesses_a_day() {
    let limit = AccountLimit { free: 5 };
    let (mut spent, mut guesses) = (Duration::ZERO, 0);
    while spent < Duration::from_hours(24) {
        guesses += 1;
        spent += limit.delay_after(guesses);
    }
    assert!(guesses <= 110, "{guesses}");
}

#[test]
fn account_keys_do_not_run_together() {
    assert_eq!(account_key("default", "ada@example.com").len(), 43);
    assert_ne!(account_key("ab", "c"), account_key("a", "bc"));
}

// NET-06
#[test]
fn a_burst_and_then_a_steady_rate() {
    let mut limits = limits(Rate { burst: 3, every: Duration::from_secs(2) }, LOOSE);
    for _ in 0..3 {
        assert_eq!(limits.take(v4(1), START), Ok(()));
    }
    assert_eq!(limits.take(v4(1), START), Err(TooMany { retry_after: Duration::from_secs(2) }));
    assert_eq!(limits.take(v4(2), START), Ok(()), "another address is not affected");
    let later = START.plus(Duration::from_secs(2));
    assert_eq!(limits.take(v4(1), later), Ok(()));
    assert!(limits.take(v4(1), later).is_err());
}

// NET-06: the limit of everybody together.
#[test]
fn everybody_together_is_limited_too() {
    let mut limits = limits(Rate::per_minute(60), Rate { burst: 10, every: Duration::from_millis(100) });
    let accepted = (0..1000).filter(|n| limits.take(v4(*n), START).is_ok()).count();
    assert_eq!(accepted, 10);
}

#[test]
fn a_good_attempt_is_given_back() {
    let mut limits =
        limits(Rate { burst: 2, every: Duration::from_hours(1) }, Rate { burst: 2, every: Duration::from_hours(1) });
    for _ in 0..100 {
        assert_eq!(limits.take(v4(1), START), Ok(()));
        limits.give_back(v4(1), START);
    }
    assert_eq!((limits.take(v4(1), START), limits.take(v4(1), START)), (Ok(()), Ok(())));
    assert!(limits.take(v4(1), START).is_err());
    limits.give_back(v4(1), START);
    limits.give_back(v4(1), START);
    limits.give_back(v4(1), START);
    let accepted = (0..5).filter(|_| limits.take(v4(1), START).is_ok()).count();
    assert_eq!(accepted, 2, "a bucket is never fuller than full");
}

// NET-06: one customer is one IPv4 address or one IPv6 /64.
#[test]
fn an_ipv6_network_is_one_address() {
    let mut limits = limits(Rate { burst: 1, every: Duration::from_hours(1) }, LOOSE);
    let v6 = |net: u16, host: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, net, 0, 0, 0, host));
    assert!(limits.take(v6(1, 1), START).is_ok());
    assert!(limits.take(v6(1, 2), START).is_err());
    assert!(limits.take(v6(2, 1), START).is_ok());
    assert!(limits.take(v4(5), START).is_ok());
    let mapped = IpAddr::from(Ipv4Addr::from_bits(5).to_ipv6_mapped());
    assert!(limits.take(mapped, START).is_err());
}

// I-6: nor for as long as the clock needs to catch up, whoever tries in between.
#[test]
fn a_clock_a_day_back_goes_on_counting_at_once() {
    let rate = Rate::per_second(10);
    let (day, step) = (86_400_000_000, 100_000);
    let full_at = rate.take(0, day).unwrap();
    let full_at = rate.take(full_at, 0).unwrap();
    assert!(rate.take(full_at, 0).is_err(), "one token, and the bucket is empty");
    let full_at = rate.take(full_at, step).unwrap();
    assert!(rate.take(full_at, step).is_err());
    assert!(rate.take(full_at, 2 * step).is_ok());
}

// I-6: a clock that is set back locks nobody out for longer than an empty bucket does.
#[test]
fn a_backward_clock_locks_nobody_out() {
    let rate = Rate { burst: 3, every: Duration::from_secs(2) };
    let mut limits = limits(rate, rate);
    for _ in 0..3 {
        assert!(limits.take(v4(1), START).is_ok());
    }
    let back = Timestamp::from_secs(1000);
    assert!(limits.take(v4(1), back).is_ok());
    let TooMany { retry_after } = limits.take(v4(1), back).unwrap_err();
    assert!(retry_after <= Duration::from_secs(2));
    assert!(limits.take(v4(1), back.plus(retry_after)).is_ok());
}

// NET-06: memory is bounded under key churn, and a busy address survives a flood of others that come once.
#[test]
fn churn_costs_no_memory_and_does_not_free_the_busy() {
    let mut limits = limits(Rate { burst: 5, every: Duration::from_mins(1) }, LOOSE);
    let size = limits.places.capacity();
    for _ in 0..5 {
        assert!(limits.take(v4(1), START).is_ok());
    }
    for n in 2..20_000 {
        assert!(limits.take(v4(n), START.plus(Duration::from_secs(1))).is_ok());
    }
    assert!(limits.take(v4(1), START.plus(Duration::from_secs(2))).is_err());
    for n in 0..500_000 {
        let _ = limits.take(v4(n), START.plus(Duration::from_secs(3)));
    }
    assert_eq!(limits.places.capacity(), size);
}

proptest! {
    // NET-06: whatever comes when, no address gets more than its burst and its rate, and neither does everybody together.
    #[test]
    fn nobody_gets_more_than_the_rate(attempts in prop::collection::vec((0_u32..4, 0_u64..3_000_000), 1..300)) {
        let rate = Rate { burst: 4, every: Duration::from_millis(700) };
        let global = Rate { burst: 10, every: Duration::from_millis(250) };
        let mut limits = limits(rate, global);
        let (mut now, mut accepted, mut all) = (START, HashMap::<u32, u64>::new(), 0);
        for (address, pause) in attempts {
            now = now.plus(Duration::from_micros(pause));
            let elapsed = u64::try_from(now.since(START).as_millis()).unwrap();
            match limits.take(v4(address), now) {
                Ok(()) => {
                    all += 1;
                    *accepted.entry(address).or_default() += 1;
                }
                Err(TooMany { retry_after }) => {
                    prop_assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_millis(700));
                }
            }
            prop_assert!(accepted.get(&address).is_none_or(|count| *count <= 4 + elapsed / 700 + 1));
            prop_assert!(all <= 10 + elapsed / 250 + 1);
        }
    }

    // The time in `Retry-After` is enough, and not more than needed.
    #[test]
    fn waiting_as_told_is_enough(burst in 1_u32..20, every in 1_u64..5_000_000) {
        let mut limits = limits(Rate { burst, every: Duration::from_micros(every) }, LOOSE);
        let TooMany { retry_after } = loop {
            if let Err(refused) = limits.take(v4(1), START) {
                break refused;
            }
        };
        let too_early = retry_after.checked_sub(Duration::from_micros(1)).unwrap();
        prop_assert!(limits.take(v4(1), START.plus(too_early)).is_err());
        prop_assert_eq!(limits.take(v4(1), START.plus(retry_after)), Ok(()));
    }
}
