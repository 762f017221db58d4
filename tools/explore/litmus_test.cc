// The classic litmus tests, each explored completely: what RC11 allows is seen,
// and what it forbids is not.

#include <atomic>
#include <cstring>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "heddle/tools/explore/atomic.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace explore {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

using Set = std::set<std::string>;

// Functions that run in threads of their own, and atomics they share. What they
// read is kept as a digit each.
struct Shared {
  Atomic<int> x{0};
  Atomic<int> y{0};
  Atomic<int> z{0};
  char* r;
  void Keep(int i, int value) { r[i] = static_cast<char>('0' + value); }
};

// Every outcome of the threads, whose functions are passed the shared state:
// the digits that they keep, then the last value of x and of y, if asked for.
template <typename... Functions>
Set Outcomes(bool final_values, Functions... functions) {
  Set outcomes;
  Options options;
  options.bound = 100;  // all there is
  options.spurious = 0;
  options.stale_reads = 4;
  const Result result = Explore(options, [&](Execution& run) {
    char digits[8] = {};
    Shared shared;
    shared.r = digits;
    run.Run([&] { functions(shared); }...);
    if (final_values) {
      digits[std::strlen(digits)] = static_cast<char>('0' + shared.x.load());
      digits[std::strlen(digits)] = static_cast<char>('0' + shared.y.load());
    }
    const Outside outside;
    outcomes.insert(digits);
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.complete);
  return outcomes;
}

// Whether that outcome is among them.
bool Allows(const Set& outcomes, const char* outcome) {
  EXPECT_FALSE(outcomes.empty());
  return outcomes.count(outcome) > 0;
}

Set StoreBuffering(std::memory_order store, std::memory_order load) {
  return Outcomes(
      false,
      [=](Shared& s) {
        s.x.store(1, store);
        s.Keep(0, s.y.load(load));
      },
      [=](Shared& s) {
        s.y.store(1, store);
        s.Keep(1, s.x.load(load));
      });
}

TEST(LitmusTest, StoreBufferingNeedsSeqCstEverywhere) {
  const Set all = {"00", "01", "10", "11"};
  EXPECT_EQ(StoreBuffering(kRelaxed, kRelaxed), all);
  EXPECT_EQ(StoreBuffering(kRelease, kAcquire), all);
  EXPECT_EQ(StoreBuffering(kSeqCst, kAcquire), all);
  EXPECT_EQ(StoreBuffering(kRelease, kSeqCst), all);
  EXPECT_EQ(StoreBuffering(kSeqCst, kSeqCst), (Set{"01", "10", "11"}));
}

// The two of each location are in an order, and all four cannot be in a circle.
TEST(LitmusTest, ReadModifyWritesDoNotPassEachOtherEvenIfRelaxed) {
  const auto outcomes = [](std::memory_order order) {
    return Outcomes(
        false,
        [=](Shared& s) {
          s.x.exchange(1, order);
          s.Keep(0, s.y.fetch_add(0, order));
        },
        [=](Shared& s) {
          s.y.exchange(1, order);
          s.Keep(1, s.x.fetch_add(0, order));
        });
  };
  EXPECT_FALSE(Allows(outcomes(kRelaxed), "00"));
  EXPECT_FALSE(Allows(outcomes(kAcqRel), "00"));
  EXPECT_FALSE(Allows(outcomes(kSeqCst), "00"));
}

Set MessagePassing(std::memory_order store, std::memory_order load) {
  return Outcomes(
      false,
      [=](Shared& s) {
        s.x.store(1, kRelaxed);
        s.y.store(1, store);
      },
      [=](Shared& s) {
        s.Keep(0, s.y.load(load));
        s.Keep(1, s.x.load(kRelaxed));
      });
}

TEST(LitmusTest, MessagePassingNeedsReleaseAndAcquire) {
  const Set all = {"00", "01", "10", "11"};
  EXPECT_EQ(MessagePassing(kRelaxed, kRelaxed), all);
  EXPECT_EQ(MessagePassing(kRelease, kRelaxed), all);
  EXPECT_EQ(MessagePassing(kRelaxed, kAcquire), all);
  EXPECT_EQ(MessagePassing(kRelease, kAcquire), (Set{"00", "01", "11"}));
  EXPECT_EQ(MessagePassing(kSeqCst, kSeqCst), (Set{"00", "01", "11"}));
}

// C++20: only read-modify-writes continue a release sequence, of any thread.
TEST(LitmusTest, ReleaseSequenceGoesThroughReadModifyWritesOnly) {
  const auto outcomes = [](auto middle) {
    return Outcomes(
        false,
        [=](Shared& s) {
          s.x.store(1, kRelaxed);
          s.y.store(1, kRelease);
        },
        middle,
        [=](Shared& s) {
          s.Keep(0, s.y.load(kAcquire));
          s.Keep(1, s.x.load(kRelaxed));
        });
  };
  EXPECT_FALSE(Allows(outcomes([](Shared& s) {
                        int one = 1;
                        s.y.compare_exchange_strong(one, 2, kRelaxed);
                      }),
                      "20"));
  EXPECT_TRUE(Allows(outcomes([](Shared& s) {
                       if (s.y.load(kRelaxed) == 1) s.y.store(2, kRelaxed);
                     }),
                     "20"));
}

TEST(LitmusTest, LoadBufferingIsForbidden) {
  EXPECT_EQ(Outcomes(
                false,
                [](Shared& s) {
                  s.Keep(0, s.x.load(kRelaxed));
                  s.y.store(1, kRelaxed);
                },
                [](Shared& s) {
                  s.Keep(1, s.y.load(kRelaxed));
                  s.x.store(1, kRelaxed);
                }),
            (Set{"00", "01", "10"}));
}

Set IndependentReads(std::memory_order store, std::memory_order load) {
  return Outcomes(
      false, [=](Shared& s) { s.x.store(1, store); },
      [=](Shared& s) { s.y.store(1, store); },
      [=](Shared& s) {
        s.Keep(0, s.x.load(load));
        s.Keep(1, s.y.load(load));
      },
      [=](Shared& s) {
        s.Keep(2, s.y.load(load));
        s.Keep(3, s.x.load(load));
      });
}

TEST(LitmusTest, IndependentReadsAgreeOnlyIfSeqCst) {
  EXPECT_TRUE(Allows(IndependentReads(kRelaxed, kRelaxed), "1010"));
  EXPECT_TRUE(Allows(IndependentReads(kRelease, kAcquire), "1010"));
  EXPECT_FALSE(Allows(IndependentReads(kSeqCst, kSeqCst), "1010"));
}

TEST(LitmusTest, WriteToReadCausality) {
  const auto outcomes = [](std::memory_order store, std::memory_order load) {
    return Outcomes(
        false, [=](Shared& s) { s.x.store(1, store); },
        [=](Shared& s) {
          s.Keep(0, s.x.load(load));
          s.y.store(1, store);
        },
        [=](Shared& s) {
          s.Keep(1, s.y.load(load));
          s.Keep(2, s.x.load(kRelaxed));
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelaxed, kRelaxed), "110"));
  EXPECT_FALSE(Allows(outcomes(kRelease, kAcquire), "110"));
}

TEST(LitmusTest, CausalityOverThreeThreads) {  // ISA2
  const auto outcomes = [](std::memory_order store, std::memory_order load) {
    return Outcomes(
        false,
        [=](Shared& s) {
          s.x.store(1, kRelaxed);
          s.y.store(1, store);
        },
        [=](Shared& s) {
          s.Keep(0, s.y.load(load));
          s.z.store(1, store);
        },
        [=](Shared& s) {
          s.Keep(1, s.z.load(load));
          s.Keep(2, s.x.load(kRelaxed));
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelaxed, kRelaxed), "110"));
  EXPECT_FALSE(Allows(outcomes(kRelease, kAcquire), "110"));
}

TEST(LitmusTest, ReadToWriteCausality) {  // RWC
  const auto outcomes = [](std::memory_order store, std::memory_order load) {
    return Outcomes(
        false, [=](Shared& s) { s.x.store(1, store); },
        [=](Shared& s) {
          s.Keep(0, s.x.load(load));
          s.Keep(1, s.y.load(load));
        },
        [=](Shared& s) {
          s.y.store(1, store);
          s.Keep(2, s.x.load(load));
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelease, kAcquire), "100"));
  EXPECT_FALSE(Allows(outcomes(kSeqCst, kSeqCst), "100"));
}

TEST(LitmusTest, TwoPlusTwoWrites) {
  const auto outcomes = [](std::memory_order order) {
    return Outcomes(
        true,
        [=](Shared& s) {
          s.x.store(1, order);
          s.y.store(2, order);
        },
        [=](Shared& s) {
          s.y.store(1, order);
          s.x.store(2, order);
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelaxed), "11"));
  EXPECT_TRUE(Allows(outcomes(kRelease), "11"));
  EXPECT_FALSE(Allows(outcomes(kSeqCst), "11"));
}

TEST(LitmusTest, TestS) {
  const auto outcomes = [](std::memory_order store, std::memory_order load) {
    return Outcomes(
        true,
        [=](Shared& s) {
          s.x.store(2, kRelaxed);
          s.y.store(1, store);
        },
        [=](Shared& s) {
          s.Keep(0, s.y.load(load));
          s.x.store(1, kRelaxed);
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelaxed, kRelaxed), "121"));
  EXPECT_FALSE(Allows(outcomes(kRelease, kAcquire), "121"));
}

TEST(LitmusTest, TestR) {
  const auto outcomes = [](std::memory_order store, std::memory_order load) {
    return Outcomes(
        true,
        [=](Shared& s) {
          s.x.store(1, store);
          s.y.store(1, store);
        },
        [=](Shared& s) {
          s.y.store(2, store);
          s.Keep(0, s.x.load(load));
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelease, kAcquire), "012"));
  EXPECT_FALSE(Allows(outcomes(kSeqCst, kSeqCst), "012"));
}

TEST(LitmusTest, ReadsOfOneLocationNeverGoBack) {  // CoRR
  EXPECT_EQ(Outcomes(
                false, [](Shared& s) { s.x.store(1, kRelaxed); },
                [](Shared& s) {
                  s.Keep(0, s.x.load(kRelaxed));
                  s.Keep(1, s.x.load(kRelaxed));
                }),
            (Set{"00", "01", "11"}));
}

TEST(LitmusTest, TwoReadersSeeOneOrderOfWrites) {  // CoRR2
  const Set outcomes = Outcomes(
      false, [](Shared& s) { s.x.store(1, kRelaxed); },
      [](Shared& s) { s.x.store(2, kRelaxed); },
      [](Shared& s) {
        s.Keep(0, s.x.load(kRelaxed));
        s.Keep(1, s.x.load(kRelaxed));
      },
      [](Shared& s) {
        s.Keep(2, s.x.load(kRelaxed));
        s.Keep(3, s.x.load(kRelaxed));
      });
  EXPECT_TRUE(Allows(outcomes, "1212"));
  EXPECT_TRUE(Allows(outcomes, "2121"));
  EXPECT_FALSE(Allows(outcomes, "1221"));
}

TEST(LitmusTest, AThreadSeesWhatItWrote) {  // CoWR, CoRW
  EXPECT_EQ(Outcomes(
                true,
                [](Shared& s) {
                  s.x.store(1, kRelaxed);
                  s.Keep(0, s.x.load(kRelaxed));
                },
                [](Shared& s) {
                  s.Keep(1, s.x.load(kRelaxed));
                  s.x.store(2, kRelaxed);
                }),
            (Set{"1010", "1020", "1120", "2020", "2120"}));
}

TEST(LitmusTest, ReadModifyWritesAreAtomic) {
  EXPECT_EQ(Outcomes(
                true, [](Shared& s) { s.Keep(0, s.x.fetch_add(1, kRelaxed)); },
                [](Shared& s) { s.Keep(1, s.x.fetch_add(1, kRelaxed)); }),
            (Set{"0120", "1020"}));
}

// What it writes follows what it read, whatever else is written.
TEST(LitmusTest, NoStoreComesBetweenTheTwoHalvesOfAReadModifyWrite) {
  EXPECT_EQ(Outcomes(
                true, [](Shared& s) { s.Keep(0, s.x.fetch_add(1, kRelaxed)); },
                [](Shared& s) { s.x.store(5, kRelaxed); }),
            (Set{"050", "560"}));
}

TEST(LitmusTest, OneCompareExchangeOfTwoSucceeds) {
  const auto take = [](int i) {
    return [i](Shared& s) {
      int zero = 0;
      s.Keep(i, s.x.compare_exchange_strong(zero, 1, kRelaxed) ? 1 : 0);
    };
  };
  EXPECT_EQ(Outcomes(false, take(0), take(1)), (Set{"01", "10"}));
}

TEST(LitmusTest, AFailedCompareExchangeIsALoadOfItsOwnOrder) {
  const auto outcomes = [](std::memory_order failure) {
    return Outcomes(
        false,
        [](Shared& s) {
          s.x.store(1, kRelaxed);
          s.y.store(1, kRelease);
        },
        [=](Shared& s) {
          int other = 7;
          s.y.compare_exchange_strong(other, 8, kRelaxed, failure);
          s.Keep(0, other);
          s.Keep(1, s.x.load(kRelaxed));
        });
  };
  EXPECT_TRUE(Allows(outcomes(kRelaxed), "10"));
  EXPECT_FALSE(Allows(outcomes(kAcquire), "10"));
}

TEST(LitmusTest, SeqCstLoadsMayReadPastRelaxedStoresOnly) {
  EXPECT_EQ(Outcomes(
                false,
                [](Shared& s) {
                  s.x.store(1, kSeqCst);
                  s.x.store(2, kRelaxed);
                  s.y.store(1, kSeqCst);
                },
                [](Shared& s) {
                  s.Keep(0, s.y.load(kRelaxed));
                  s.Keep(1, s.x.load(kSeqCst));
                }),
            (Set{"00", "01", "02", "11", "12"}));
}

}  // namespace
}  // namespace explore
}  // namespace heddle
