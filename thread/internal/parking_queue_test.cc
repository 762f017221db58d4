// What a waker can do with the queue of a key beyond waking the oldest: see
// parking_test.cc for that, and for how a wait ends.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "heddle/thread/internal/manual_clock.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/run_concurrently.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

void AddTo(const void* key, Waiter& waiter) {
  ParkingSpot spot(key);
  spot.Add(waiter);
}

size_t WakeOn(const void* key, size_t count) {
  WakeList woken;
  ParkingSpot spot(key);
  return spot.Wake(count, woken);
}

size_t WaitersOn(const void* key) {
  const ParkingSpot spot(key);
  return spot.CountWaiters();
}

// A waiter of this thread that nobody has woken leaves with false.
bool WasWoken(Waiter& waiter) {
  return waiter.Sleep(WaitLimit(absl::ZeroDuration()).Started());
}

// A thread that waits on a key with a deadline; it sleeps when the constructor
// returns.
class Sleeper {
 public:
  Sleeper(ManualClock& clock, size_t sleepers, const void* key,
          const WaitLimit& limit, uint32_t tag = 0)
      : thread_([this, key, tag, started = limit.Started()] {
          Waiter waiter(tag);
          AddTo(key, waiter);
          woken_ = waiter.Sleep(started);
          message_ = waiter.message();
          moved_ = waiter.moved();
          ended_.store(true);
        }) {
    clock.AwaitSleepers(sleepers);
  }
  ~Sleeper() {
    if (thread_.joinable()) thread_.join();
  }

  bool Outcome() {
    thread_.join();
    return woken_;
  }
  bool ended() const { return ended_.load(); }
  // After Outcome().
  uint32_t message() const { return message_; }
  bool moved() const { return moved_; }

 private:
  bool woken_ = false;
  uint32_t message_ = 0;
  bool moved_ = false;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

TEST(ParkingQueueTest, CountWaitersCountsThoseOfItsKey) {
  const int keys[2] = {};
  EXPECT_EQ(WaitersOn(&keys[0]), 0u);
  Waiter first;
  Waiter second;
  Waiter other;
  AddTo(&keys[0], first);
  EXPECT_EQ(WaitersOn(&keys[0]), 1u);
  AddTo(&keys[1], other);
  AddTo(&keys[0], second);
  EXPECT_EQ(WaitersOn(&keys[0]), 2u);
  EXPECT_EQ(WaitersOn(&keys[1]), 1u);
  EXPECT_EQ(WakeOn(&keys[0], 1), 1u);
  EXPECT_EQ(WaitersOn(&keys[0]), 1u);
  EXPECT_FALSE(WasWoken(second));
  EXPECT_EQ(WaitersOn(&keys[0]), 0u);
  EXPECT_EQ(WaitersOn(&keys[1]), 1u);
  EXPECT_FALSE(WasWoken(other));
  EXPECT_TRUE(WasWoken(first));
}

// More keys than there are buckets, so that many share one.
TEST(ParkingQueueTest, CountsAndTagsOfKeysThatShareABucketAreKeptApart) {
  constexpr size_t kKeys = 3000;
  const std::vector<char> keys(kKeys);
  std::deque<Waiter> waiters;
  for (size_t i = 0; i < kKeys; ++i) {
    waiters.emplace_back(static_cast<uint32_t>(i));
    AddTo(&keys[i], waiters.back());
  }
  for (size_t i = 0; i < kKeys; ++i) {
    WakeList woken;
    ParkingSpot spot(&keys[i]);
    ASSERT_EQ(spot.CountWaiters(), 1u);
    ASSERT_EQ(spot.OldestTag(), static_cast<uint32_t>(i));
    ASSERT_TRUE(spot.WakeOldest(woken));
    ASSERT_EQ(spot.OldestTag(), std::nullopt);
  }
  for (Waiter& waiter : waiters) EXPECT_TRUE(WasWoken(waiter));
}

TEST(ParkingQueueTest, AddFirstPutsAWaiterBeforeAllOthers) {
  const int key = 0;
  Waiter first(1);
  Waiter second(2);
  Waiter late(3);
  AddTo(&key, first);
  AddTo(&key, second);
  {
    ParkingSpot spot(&key);
    spot.AddFirst(late);
    EXPECT_EQ(spot.CountWaiters(), 3u);
    EXPECT_EQ(spot.OldestTag(), 3u);
  }
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(WasWoken(late));
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(WasWoken(first));
  EXPECT_FALSE(WasWoken(second));
}

TEST(ParkingQueueTest, AddFirstWorksOnAnEmptyQueueAndItsLimitEndsIt) {
  const int key = 0;
  Waiter waiter;
  {
    ParkingSpot spot(&key);
    spot.AddFirst(waiter);
  }
  EXPECT_EQ(WaitersOn(&key), 1u);
  EXPECT_FALSE(WasWoken(waiter));
  EXPECT_EQ(WaitersOn(&key), 0u);
  // The list is whole, at both ends.
  Waiter last;
  Waiter first;
  AddTo(&key, last);
  {
    ParkingSpot spot(&key);
    spot.AddFirst(first);
  }
  EXPECT_FALSE(WasWoken(first));
  EXPECT_EQ(WakeOn(&key, 2), 1u);
  EXPECT_TRUE(WasWoken(last));
}

TEST(ParkingQueueTest, OldestTagTellsWhatTheOldestWaitsFor) {
  const int key = 0;
  Waiter first(7);
  Waiter second(UINT32_MAX);
  Waiter third;
  WakeList woken;
  ParkingSpot spot(&key);
  EXPECT_EQ(spot.OldestTag(), std::nullopt);
  EXPECT_FALSE(spot.WakeOldest(woken));
  spot.Add(first);
  spot.Add(second);
  spot.Add(third);
  EXPECT_EQ(spot.OldestTag(), 7u);
  EXPECT_EQ(spot.OldestTag(), 7u);  // it stays
  EXPECT_TRUE(spot.WakeOldest(woken));
  EXPECT_EQ(spot.OldestTag(), UINT32_MAX);
  EXPECT_TRUE(spot.WakeOldest(woken));
  EXPECT_EQ(spot.OldestTag(), 0u);
  EXPECT_TRUE(spot.WakeOldest(woken));
  EXPECT_EQ(spot.OldestTag(), std::nullopt);
}

// The spot is held, so that the stopped one cannot leave the queue by itself.
TEST(ParkingQueueTest, WakeOldestTakesOutOneWhoseWaitHasEndedAndWakesNobody) {
  ManualClock clock;
  const int key = 0;
  std::stop_source stop;
  Sleeper stopped(clock, 1, &key, {absl::Hours(1), stop.get_token()}, 1);
  Sleeper stays(clock, 2, &key, absl::Hours(1), 2);
  {
    WakeList woken;
    ParkingSpot spot(&key);
    stop.request_stop();
    EXPECT_EQ(spot.CountWaiters(), 2u);
    EXPECT_EQ(spot.OldestTag(), 1u);
    EXPECT_FALSE(spot.WakeOldest(woken));
    EXPECT_EQ(spot.CountWaiters(), 1u);
    EXPECT_EQ(spot.OldestTag(), 2u);
    EXPECT_TRUE(spot.WakeOldest(woken));
    EXPECT_FALSE(spot.HasWaiters());
  }
  EXPECT_FALSE(stopped.Outcome());
  EXPECT_TRUE(stays.Outcome());
}

TEST(ParkingQueueTest, MessageReachesAllOfTheListWhoeverWokeThem) {
  const int keys[2] = {};
  Waiter first;
  Waiter second;
  Waiter other;
  AddTo(&keys[0], first);
  AddTo(&keys[0], second);
  AddTo(&keys[1], other);
  {
    WakeList woken;
    {
      ParkingSpot spot(&keys[0]);
      EXPECT_TRUE(spot.WakeOldest(woken));
      EXPECT_EQ(spot.WakeAll(woken), 1u);
    }
    woken.set_message(1);
    ParkingSpot spot(&keys[1]);
    EXPECT_EQ(spot.Wake(1, woken), 1u);
    woken.set_message(42);  // the last one counts, for all
  }
  for (Waiter* const waiter : {&first, &second, &other}) {
    EXPECT_TRUE(WasWoken(*waiter));
    EXPECT_EQ(waiter->message(), 42u);
    EXPECT_FALSE(waiter->moved());
  }
}

TEST(ParkingQueueTest, MessageIsZeroUnlessOneIsSet) {
  const int key = 0;
  Waiter waiter;
  AddTo(&key, waiter);
  EXPECT_EQ(WakeOn(&key, 1), 1u);
  EXPECT_TRUE(WasWoken(waiter));
  EXPECT_EQ(waiter.message(), 0u);
}

// Moves all who wait on `from` to `to` as if they had been woken.
size_t Move(const void* from, const void* to) {
  WakeList claimed;
  size_t moved = 0;
  {
    ParkingSpot spot(from);
    moved = spot.WakeAll(claimed);
  }
  ParkingSpot spot(to);
  spot.AddClaimed(claimed);
  return moved;
}

TEST(ParkingQueueTest, AddClaimedMovesWaitersToTheEndOfAnotherQueueInOrder) {
  const int from = 0;
  const int to = 0;
  Waiter there(1);
  Waiter first(2);
  Waiter second(3);
  AddTo(&to, there);
  AddTo(&from, first);
  AddTo(&from, second);
  EXPECT_EQ(Move(&from, &to), 2u);
  EXPECT_EQ(WaitersOn(&from), 0u);
  EXPECT_EQ(WaitersOn(&to), 3u);
  EXPECT_EQ(WakeOn(&from, 3), 0u);
  for (const uint32_t tag : {1u, 2u, 3u}) {
    WakeList woken;
    ParkingSpot spot(&to);
    EXPECT_EQ(spot.OldestTag(), tag);
    EXPECT_TRUE(spot.WakeOldest(woken));
  }
  EXPECT_TRUE(WasWoken(there));
  EXPECT_FALSE(there.moved());
  EXPECT_TRUE(WasWoken(first));
  EXPECT_TRUE(first.moved());
  EXPECT_TRUE(WasWoken(second));
  EXPECT_TRUE(second.moved());
}

TEST(ParkingQueueTest, AddClaimedOfNobodyAddsNobody) {
  const int from = 0;
  const int to = 0;
  EXPECT_EQ(Move(&from, &to), 0u);
  EXPECT_EQ(WaitersOn(&to), 0u);
}

// The list is empty afterwards: its end wakes nobody.
TEST(ParkingQueueTest, MovedWaiterSleepsOnUntilTheOtherKeyWakesIt) {
  ManualClock clock;
  const int from = 0;
  const int to = 0;
  Sleeper sleeper(clock, 1, &from, absl::Hours(1));
  EXPECT_EQ(Move(&from, &to), 1u);
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_FALSE(sleeper.ended());
  EXPECT_EQ(WakeOn(&to, 5), 1u);
  EXPECT_TRUE(sleeper.Outcome());
  EXPECT_TRUE(sleeper.moved());
}

TEST(ParkingQueueTest, LimitsOfAMovedWaiterHaveNoSay) {
  ManualClock clock;
  const int from = 0;
  const int to = 0;
  std::stop_source stop;
  Sleeper limited(clock, 1, &from, absl::Seconds(1));
  Sleeper stoppable(clock, 2, &from, {absl::Hours(1), stop.get_token()});
  EXPECT_EQ(Move(&from, &to), 2u);
  clock.Advance(absl::Seconds(2));
  stop.request_stop();
  EXPECT_EQ(WaitersOn(&to), 2u);
  EXPECT_FALSE(limited.ended());
  EXPECT_FALSE(stoppable.ended());
  EXPECT_EQ(WakeOn(&to, 2), 2u);
  EXPECT_TRUE(limited.Outcome());
  EXPECT_TRUE(stoppable.Outcome());
}

TEST(ParkingQueueTest, MovedWaiterIsToldTheMessageOfWhoWakesIt) {
  const int from = 0;
  const int to = 0;
  Waiter waiter;
  AddTo(&from, waiter);
  {
    WakeList claimed;
    {
      ParkingSpot spot(&from);
      EXPECT_EQ(spot.Wake(1, claimed), 1u);
      claimed.set_message(1);
    }
    ParkingSpot spot(&to);
    spot.AddClaimed(claimed);
  }
  {
    WakeList woken;
    ParkingSpot spot(&to);
    EXPECT_EQ(spot.Wake(1, woken), 1u);
    woken.set_message(2);
  }
  EXPECT_TRUE(WasWoken(waiter));
  EXPECT_EQ(waiter.message(), 2u);
}

TEST(ParkingQueueTest, MovedWaiterMayBeMovedAgain) {
  const int keys[3] = {};
  Waiter waiter;
  AddTo(&keys[0], waiter);
  EXPECT_EQ(Move(&keys[0], &keys[1]), 1u);
  EXPECT_EQ(Move(&keys[1], &keys[2]), 1u);
  EXPECT_EQ(WaitersOn(&keys[1]), 0u);
  EXPECT_EQ(WakeOn(&keys[2], 1), 1u);
  EXPECT_TRUE(WasWoken(waiter));
}

// A wait has one outcome: against a stop and a deadline at the moment it is
// moved, and it is woken or gone, never left behind.
TEST(ParkingQueueTest, MoveAgainstTheLimitsAtTheSameMomentHasOneOutcome) {
  constexpr int kIterations = 300;
  struct Case {
    std::stop_source stop;
    std::atomic<int> queued{0};
    std::atomic<int> woken{0};
    size_t moved = 0;
    char from = 0;
    char to = 0;
  };
  std::deque<Case> cases(kIterations);
  size_t rounds[4] = {};
  const auto wait = [&](size_t& round, bool stoppable) {
    Case& c = cases[round++];
    auto waiter = std::make_unique<Waiter>();
    const WaitLimit limit =
        stoppable ? WaitLimit(c.stop.get_token())
                  : WaitLimit(absl::Microseconds(static_cast<int>(round) % 50));
    const WaitLimit started = limit.Started();
    AddTo(&c.from, *waiter);
    ++c.queued;
    if (waiter->Sleep(started)) {
      EXPECT_TRUE(waiter->moved());
      ++c.woken;
    }
    waiter.reset();  // nobody may touch it any more
  };
  RunConcurrently(
      kIterations, [&] { wait(rounds[0], true); },
      [&] { wait(rounds[1], false); },
      [&] {
        Case& c = cases[rounds[2]++];
        while (c.queued.load() < 2) std::this_thread::yield();
        c.moved = Move(&c.from, &c.to);
        EXPECT_EQ(WakeOn(&c.to, 2), c.moved);
      },
      [&] {
        Case& c = cases[rounds[3]++];
        while (c.queued.load() < 2) std::this_thread::yield();
        c.stop.request_stop();
      });
  for (const Case& c : cases) {
    ASSERT_EQ(static_cast<size_t>(c.woken.load()), c.moved);
    ASSERT_EQ(WaitersOn(&c.from), 0u);
    ASSERT_EQ(WaitersOn(&c.to), 0u);
  }
}

// Keys whose queues are in one bucket.
std::vector<const void*> KeysOfOneBucket(size_t count) {
  static char places[64 * 1024];
  std::vector<const void*> keys;
  for (size_t i = 0; i < sizeof(places) && keys.size() < count; i += 8) {
    if (ShareBucket(&places[0], &places[i])) keys.push_back(&places[i]);
  }
  return keys;
}

// (P9), against queues that are plain lists: keys of one bucket, and everything
// that can be done with them, at random.
TEST(ParkingQueueTest, KeysOfOneBucketAreQueuesOfTheirOwn) {
  constexpr size_t kKeys = 4;
  const std::vector<const void*> keys = KeysOfOneBucket(kKeys);
  ASSERT_EQ(keys.size(), kKeys);
  std::mt19937 random(17);
  for (int run = 0; run < 200; ++run) {
    std::deque<Waiter> waiters;
    std::vector<std::deque<Waiter*>> queues(kKeys);
    const auto ends = [](Waiter* waiter, bool woken) {
      EXPECT_EQ(WasWoken(*waiter), woken);
    };
    for (int step = 0; step < 100; ++step) {
      const size_t k = random() % kKeys;
      std::deque<Waiter*>& queue = queues[k];
      switch (random() % 6) {
        case 0:
        case 1: {
          Waiter& waiter = waiters.emplace_back(static_cast<uint32_t>(step));
          ParkingSpot spot(keys[k]);
          if (random() % 3 == 0) {
            spot.AddFirst(waiter);
            queue.push_front(&waiter);
          } else {
            spot.Add(waiter);
            queue.push_back(&waiter);
          }
          break;
        }
        case 2: {  // one leaves, from anywhere
          if (queue.empty()) break;
          const auto at = queue.begin() +
                          static_cast<std::ptrdiff_t>(random() % queue.size());
          ends(*at, false);
          queue.erase(at);
          break;
        }
        case 3: {
          const size_t most = random() % 4;
          const size_t count = std::min(most, queue.size());
          EXPECT_EQ(WakeOn(keys[k], most), count);
          for (size_t i = 0; i < count; ++i) {
            ends(queue.front(), true);
            queue.pop_front();
          }
          break;
        }
        case 4: {
          bool woken_one = false;
          {
            WakeList woken;
            ParkingSpot spot(keys[k]);
            woken_one = spot.WakeOldest(woken);
          }
          EXPECT_EQ(woken_one, !queue.empty());
          if (queue.empty()) break;
          ends(queue.front(), true);
          queue.pop_front();
          break;
        }
        default: {
          const ParkingSpot spot(keys[k]);
          EXPECT_EQ(spot.CountWaiters(), queue.size());
          EXPECT_EQ(spot.HasWaiters(), !queue.empty());
        }
      }
    }
    for (size_t k = 0; k < kKeys; ++k) {
      EXPECT_EQ(WakeOn(keys[k], 1000), queues[k].size());
      for (Waiter* const waiter : queues[k]) ends(waiter, true);
      EXPECT_EQ(WaitersOn(keys[k]), 0U);
    }
  }
}

// Who was moved (P7) stays in order behind those of the other key.
TEST(ParkingQueueTest, WaitersAreMovedBetweenKeysOfOneBucket) {
  const std::vector<const void*> keys = KeysOfOneBucket(3);
  Waiter waiters[6];
  AddTo(keys[2], waiters[5]);
  AddTo(keys[0], waiters[0]);
  for (size_t i = 1; i < 5; ++i) AddTo(keys[1], waiters[i]);
  {
    WakeList claimed;
    {
      ParkingSpot spot(keys[1]);
      EXPECT_EQ(spot.Wake(3, claimed), 3U);
    }
    ParkingSpot spot(keys[0]);
    spot.AddClaimed(claimed);
    EXPECT_EQ(spot.CountWaiters(), 4U);
  }
  EXPECT_EQ(WaitersOn(keys[1]), 1U);
  EXPECT_EQ(WaitersOn(keys[2]), 1U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(WakeOn(keys[0], 1), 1U);
    EXPECT_TRUE(WasWoken(waiters[i])) << i;
    EXPECT_EQ(waiters[i].moved(), i > 0);
  }
  EXPECT_FALSE(WasWoken(waiters[4]));
  EXPECT_FALSE(WasWoken(waiters[5]));
}

// CPU time of this thread, for a ratio of 1000 or more.
int64_t CpuNanos() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// A crowd on one key is not walked through by those who use another one. (A walk
// makes the second number hundreds of times the first.)
TEST(ParkingQueueTest, ACrowdOnOneKeyDoesNotSlowDownAnotherOfItsBucket) {
  const std::vector<const void*> keys = KeysOfOneBucket(2);
  const auto use_other = [&] {
    const int64_t begin = CpuNanos();
    for (int i = 0; i < 1000; ++i) {
      Waiter waiter;
      AddTo(keys[1], waiter);
      EXPECT_EQ(WaitersOn(keys[1]), 1U);
      EXPECT_EQ(WakeOn(keys[1], 1), 1U);
      EXPECT_TRUE(WasWoken(waiter));
      Waiter late;
      AddTo(keys[1], late);
      EXPECT_FALSE(WasWoken(late));
    }
    return CpuNanos() - begin;
  };
  const int64_t alone = use_other();
  std::deque<Waiter> crowd(20000);
  for (Waiter& waiter : crowd) AddTo(keys[0], waiter);
  const int64_t beside = use_other();
  EXPECT_LT(beside, 50 * alone);
  EXPECT_EQ(WakeOn(keys[0], 30000), crowd.size());
  for (Waiter& waiter : crowd) EXPECT_TRUE(WasWoken(waiter));
}

}  // namespace
}  // namespace internal
}  // namespace heddle
