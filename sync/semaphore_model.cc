// Models of Semaphore and BoundedSemaphore: (S1)-(S3) and [RELEASE] of
// semaphore.h, under every schedule.

#include <stdexcept>
#include <stop_token>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/sync/semaphore.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/explore.h"

namespace heddle {
namespace {

using explore::Execution;
using explore::Holds;
using internal::Var;

TEST(SemaphoreModel, OfOneUnitIsMutualExclusion) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Semaphore semaphore(1);
    Var<int> count = 0;
    const auto add = [&] {
      semaphore.Acquire();
      ++count;
      semaphore.Release();
    };
    run.Run(add, add);
    explore::Check(count == 2);
    explore::Check(semaphore.value() == 1);
  }));
}

TEST(SemaphoreModel, ThreeThreadsShareTwoUnits) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Semaphore semaphore(2);
    int inside = 0;
    const auto enter = [&] {
      semaphore.Acquire();
      explore::Check(++inside <= 2);
      explore::Yield();
      --inside;
      semaphore.Release();
    };
    run.Run(enter, enter, enter);
    explore::Check(semaphore.value() == 2);
  }));
}

TEST(SemaphoreModel, WhatCameBeforeReleaseIsVisibleAfterAcquire) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Semaphore semaphore(0);
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          semaphore.Release();
        },
        [&] {
          semaphore.Acquire();
          explore::Check(data == 1);
        });
    explore::Check(semaphore.value() == 0);
  }));
}

TEST(SemaphoreModel, WhatCameBeforeReleaseIsVisibleWhereTryAcquireIsTrue) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Semaphore semaphore(0);
    Var<int> data = 0;
    run.Run(
        [&] {
          data = 1;
          semaphore.Release();
        },
        [&] {
          if (semaphore.TryAcquire()) explore::Check(data == 1);
        });
  }));
}

TEST(SemaphoreModel, ReleaseOfTwoServesTwo) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Semaphore semaphore(0);
    const auto acquire = [&] { semaphore.Acquire(); };
    run.Run(acquire, acquire, [&] { semaphore.Release(2); });
    explore::Check(semaphore.value() == 0);
  }));
}

TEST(SemaphoreModel, TwoReleasesServeTwo) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Semaphore semaphore(0);
    const auto acquire = [&] { semaphore.Acquire(); };
    const auto release = [&] { semaphore.Release(); };
    run.Run(acquire, acquire, release, release);
    explore::Check(semaphore.value() == 0);
  }));
}

TEST(SemaphoreModel, MoreThanAreWaitedForStay) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    Semaphore semaphore(0);
    run.Run([&] { semaphore.Acquire(); }, [&] { semaphore.Release(3); });
    explore::Check(semaphore.value() == 2);
  }));
}

// Units are neither lost nor doubled by a wait that ends otherwise.
TEST(SemaphoreModel, AWaitWithALimitTakesAUnitOrLeavesIt) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Semaphore semaphore(0);
    std::stop_source stop;
    int taken = 0;
    run.Run(
        [&] {
          taken += semaphore.Acquire({absl::Seconds(1), stop.get_token()});
        },
        [&] { semaphore.Release(); }, [&] { stop.request_stop(); });
    explore::Check(semaphore.value() + taken == 1);
  }));
}

TEST(SemaphoreModel, AWaitThatEndsByItsLimitStrandsNobody) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Semaphore semaphore(0);
    int taken = 0;
    run.Run([&] { taken += semaphore.Acquire(absl::Seconds(1)); },
            [&] { semaphore.Acquire(); },
            [&] {
              semaphore.Release();
              semaphore.Release();
            });
    explore::Check(semaphore.value() + taken == 1);
  }));
}

TEST(SemaphoreModel, ANewcomerTakesOnlyWhatIsNobodys) {
  EXPECT_TRUE(Holds(1, [](Execution& run) {
    Semaphore semaphore(0);
    int taken = 0;
    run.Run([&] { semaphore.Acquire(); },
            [&] { taken += semaphore.TryAcquire(); },
            [&] {
              semaphore.Release();
              semaphore.Release();
            });
    explore::Check(semaphore.value() + taken == 1);
  }));
}

// Those that a Release() leaves after it has served who waits.
TEST(SemaphoreModel, WhatCameBeforeReleaseIsVisibleWithEachOfItsUnits) {
  EXPECT_TRUE(Holds(0, [](Execution& run) {
    Semaphore semaphore(0);
    Var<int> data = 0;
    const auto acquire = [&] {
      semaphore.Acquire();
      explore::Check(data == 1);
    };
    run.Run(
        acquire,
        [&] {
          if (semaphore.TryAcquire()) explore::Check(data == 1);
        },
        [&] {
          data = 1;
          semaphore.Release(2);
        });
  }));
}

// Also where who waited has just given up.
TEST(SemaphoreModel, WhatCameBeforeReleaseIsVisibleAfterAWaitInVain) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Semaphore semaphore(0);
    Var<int> data = 0;
    run.Run(
        [&] {
          if (!semaphore.Acquire(absl::Seconds(1))) semaphore.Acquire();
          explore::Check(data == 1);
        },
        [&] {
          data = 1;
          semaphore.Release();
        });
  }));
}

// A release that saw somebody queued, whom another served meanwhile.
TEST(SemaphoreModel, AReleaseThatComesLateToTheQueueIsSeen) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    Semaphore semaphore(0);
    Var<int> data = 0;
    run.Run(
        [&] {
          semaphore.Acquire();
          semaphore.Acquire();
          explore::Check(data == 1);
        },
        [&] {
          data = 1;
          semaphore.Release();
        },
        [&] { semaphore.Release(); });
  }));
}

TEST(SemaphoreModel, TryAcquireOfAUnitNeverFailsForNoReason) {
  EXPECT_TRUE(Holds(3, [](Execution& /*run*/) {
    Semaphore semaphore(1);
    explore::Check(semaphore.TryAcquire());
  }));
}

TEST(SemaphoreModel, WhoHasAcquiredMayDestroyIt) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    auto* const semaphore = new Semaphore(0);
    run.Run([=] { semaphore->Release(); },
            [=] {
              semaphore->Acquire();
              delete semaphore;
            });
  }));
}

TEST(BoundedSemaphoreModel, NeverHoldsMoreThanItBeganWith) {
  EXPECT_TRUE(Holds(3, [](Execution& run) {
    BoundedSemaphore semaphore(1);
    semaphore.Acquire();
    int refused = 0;
    const auto release = [&] {
      try {
        semaphore.Release();
      } catch (const std::invalid_argument&) {
        ++refused;
      }
    };
    run.Run(release, release);
    explore::Check(refused == 1);
    explore::Check(semaphore.value() == 1);
  }));
}

TEST(BoundedSemaphoreModel, AWaiterMakesRoomForARelease) {
  EXPECT_TRUE(Holds(2, [](Execution& run) {
    BoundedSemaphore semaphore(1);
    Var<int> count = 0;
    const auto add = [&] {
      semaphore.Acquire();
      ++count;
      semaphore.Release();
    };
    run.Run(add, add);
    explore::Check(count == 2);
    explore::Check(semaphore.value() == 1);
  }));
}

}  // namespace
}  // namespace heddle
