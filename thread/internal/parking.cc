// The invariants (P1)-(P6) and the edges [BUCKET], [WAKE] cited here are stated
// in README.md beside this file.

#include "heddle/thread/internal/parking.h"

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/futex.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/spin.h"
#include "heddle/thread/internal/stop_callback.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/internal/window.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

// A bucket holds the queues of every key that falls into it. Aligned so that
// neighbours do not share a cache line.
//
// The waiters of a key form a ring in order of arrival; the oldest, its *head*,
// is in the bucket's list of heads (P9):
//
//   first_head -> A1 -> B1 -> null          linked by next_head_
//                 |     |
//                 A2    B1 (alone)          rings, linked by next_, previous_
//                 A3
struct alignas(64) ParkingBucket {
  RawLock lock;
  Var<Waiter*> first_head = nullptr;

  // The oldest waiter of `key`, or null.
  Waiter* Head(const void* key) const {
    Waiter* head = first_head;
    while (head != nullptr && head->key_ != key) head = head->next_head_;
    return head;
  }

  void Append(Waiter& waiter) { Insert(waiter, Head(waiter.key_)); }

  void Prepend(Waiter& waiter) {
    Waiter* const head = Head(waiter.key_);
    Insert(waiter, head);  // before the head is behind the last
    if (head != nullptr) ReplaceHead(*head, &waiter);
  }

  void Remove(Waiter& waiter) {
    Waiter* const next = waiter.next_;
    if (waiter.is_head_) ReplaceHead(waiter, next != &waiter ? next : nullptr);
    waiter.previous_->next_ = next;
    next->previous_ = waiter.previous_;
    waiter.queued_ = false;
  }

  // Puts `waiter` at the end of the ring of `head`; null: it is a new one's head.
  void Insert(Waiter& waiter, Waiter* head) {
    if (head == nullptr) {
      waiter.next_ = waiter.previous_ = &waiter;
      LinkHead(waiter, nullptr, first_head);
    } else {
      waiter.next_ = head;
      waiter.previous_ = head->previous_;
      waiter.previous_->next_ = &waiter;
      head->previous_ = &waiter;
    }
    waiter.queued_ = true;
  }

  // Puts `to`, or nothing, in the place of `head` in the list of heads.
  void ReplaceHead(Waiter& head, Waiter* to) {
    Waiter* const previous = head.previous_head_;
    Waiter* const next = head.next_head_;
    head.is_head_ = false;
    if (to != nullptr) {
      LinkHead(*to, previous, next);
    } else {
      (previous != nullptr ? previous->next_head_ : first_head) = next;
      if (next != nullptr) next->previous_head_ = previous;
    }
  }

  void LinkHead(Waiter& head, Waiter* previous, Waiter* next) {
    head.is_head_ = true;
    head.previous_head_ = previous;
    head.next_head_ = next;
    (previous != nullptr ? previous->next_head_ : first_head) = &head;
    if (next != nullptr) next->previous_head_ = &head;
  }

  void ResetInChild() {
    if (first_head != nullptr) first_head = nullptr;
    lock.ResetInChild();
  }
};

namespace {

// Constant-initialised and never destroyed: parking works before main() and
// while statics die. Untouched buckets cost no memory.
constexpr int kBucketBits = 10;
constinit ParkingBucket buckets[size_t{1} << kBucketBits];

// The child of a fork() has none of the threads that were queued: their waiters
// lie on stacks that its own threads get. And nobody unlocks what they held. Only
// what is not as it was at first is written: it costs the child a page.
constinit AtFork at_fork([] {
  for (ParkingBucket& bucket : buckets) bucket.ResetInChild();
});

ParkingBucket& BucketFor(const void* key) {
  // Fibonacci hashing: addresses differ in their middle bits.
  const uint64_t spread =
      reinterpret_cast<uintptr_t>(key) * uint64_t{0x9E3779B97F4A7C15};
  return buckets[spread >> (64 - kBucketBits)];
}

// A thread holds one spot at a time: seen to where windows are counted.
#ifdef HEDDLE_WINDOWS
void TakeSpot() {
  if (std::exchange(ThisThread().has_spot, true)) CalledInItself("ParkingSpot");
}
void DropSpot() { ThisThread().has_spot = false; }
#else
void TakeSpot() {}
void DropSpot() {}
#endif

// Finds out whether a wait takes longer than the grace, where somebody is to be
// told of that.
class LongWait {
 public:
  LongWait()
      : listener_(ThisThread().block_listener),
        // A test that moves the time itself counts the timed waits: the grace
        // is none of those.
        grace_(listener_ != nullptr && Clock::substitute() == nullptr
                   ? Deadline::After(BlockListener::kGraceNanos)
                   : Deadline::Never()) {}

  // Until when to sleep at first, if it is to be until `deadline` at last.
  Deadline Before(Deadline deadline) const {
    return grace_.nanos() < deadline.nanos() ? grace_ : deadline;
  }

  // After a sleep until then that nobody ended: tells the listener that the wait
  // goes on, and returns it; null if `deadline` is what has passed.
  BlockListener* GoesOn(Deadline deadline) {
    if (Before(deadline) == deadline) return nullptr;
    int64_t next_check = BlockListener::kFirstCheckNanos;
    if (told_) {
      next_check = listener_->StillBlocked();
    } else {
      told_ = true;
      listener_->Blocked();
    }
#ifdef HEDDLE_MODEL
    next_check = BlockListener::kNever;  // a model's time has no end
#endif
    grace_ = Deadline::After(next_check);
    return listener_;
  }

 private:
  BlockListener* const listener_;
  Deadline grace_;
  bool told_ = false;
};

// Says that this thread sleeps, while it does. relaxed: a hint for messages.
class SaysThatItWaits {
 public:
  SaysThatItWaits() : waits_(ThisThread().waits) {
    if (waits_ == nullptr) return;
    before_ = waits_->load(std::memory_order_relaxed);
    waits_->store(true, std::memory_order_relaxed);
  }
  SaysThatItWaits(const SaysThatItWaits&) = delete;
  SaysThatItWaits& operator=(const SaysThatItWaits&) = delete;
  ~SaysThatItWaits() {
    if (waits_ != nullptr) waits_->store(before_, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool>* const waits_;
  bool before_ = false;  // a listener, told of a wait, may wait itself
};

}  // namespace

bool Waiter::Claim(uint32_t state) {
  // relaxed throughout: the claim only decides whose the waiter is (P2). What a
  // waker then reads of it was written under the bucket's lock.
  uint32_t seen = claim_.load(std::memory_order_relaxed);
  do {
    if ((seen & ~kAsleep) != kWaiting) return false;
  } while (!claim_.compare_exchange_weak(seen, state | (seen & kAsleep),
                                         std::memory_order_relaxed));
  return true;
}

void Waiter::Post(uint32_t state) {
  const void* const address = &claim_;
  // After the exchange the waiter may be gone: only its address is used (P4).
  const uint32_t seen =
      claim_.exchange(state, std::memory_order_release);  // [WAKE]
  if ((seen & kAsleep) == 0) return;
  FutexWakeOne(address);
  ThisThread().has_woken = true;
}

bool Waiter::IsPosted() const {
  // relaxed: only a hint.
  return (claim_.load(std::memory_order_relaxed) & ~kAsleep) >= kWoken;
}

void Waiter::LookBriefly(bool has_looked) const {
  if (!has_looked) {
    const SpinTurn turn;
    for (int i = 0; turn && i < kSpinRounds; ++i) {
      if (IsPosted()) return;
      SpinPause();
    }
  }
  SpinYields yields;
  for (int i = 0; i < kYieldRounds && !IsPosted(); ++i) yields.Yield();
}

bool Waiter::Sleep(const WaitLimit& limit, bool has_looked,
                   WaiterAlarm* alarm) {
  CheckNoWindow("a wait");
  assert(limit.started() &&
         "a wait may be woken and sleep again: start its clock once, before");
  const Deadline deadline = limit.deadline();
  {
    // Claims and wakes, nothing else: it runs inside request_stop(), in
    // whatever thread calls that. Registering it when a stop was requested
    // before claims at once, here.
    const auto end_wait = [this] {
      if (Claim(kClaimed)) Post(kEnded);
    };
    std::optional<StopCallback<decltype(end_wait)>> on_stop;
    if (limit.stop_token().stop_possible())
      on_stop.emplace(limit.stop_token(), end_wait);

    if (!deadline.IsPast()) LookBriefly(has_looked);
    LongWait long_wait;
    const SaysThatItWaits waits;
    for (;;) {
      uint32_t seen = claim_.load(std::memory_order_acquire);  // [WAKE]
      const uint32_t state = seen & ~kAsleep;
      if (state == kWoken || state == kEnded) break;
      if ((seen & kAsleep) == 0) {
        // (P4): from here on, whoever posts sees that a wake-up call is due.
        // relaxed: the same word carries the post, so one of the two sees the
        // other.
        if (!claim_.compare_exchange_weak(seen, seen | kAsleep,
                                          std::memory_order_relaxed)) {
          continue;
        }
        seen |= kAsleep;
      }
      // Once claimed, the outcome is fixed and the post is on its way.
      Deadline until = state == kWaiting ? deadline : Deadline::Never();
      const bool rings = state == kWaiting && alarm != nullptr &&
                         alarm->due().nanos() < until.nanos();
      if (rings) until = alarm->due();
      if (FutexWait(claim_, seen, long_wait.Before(until))) continue;
      if (BlockListener* const listener = long_wait.GoesOn(until)) {
        told_ = listener;
      } else if (rings) {
        alarm->Ring();
      } else if (Claim(kEnded)) {  // (P3)
        break;
      }
    }
    // The callback ends here at the latest: it may not outlive this frame.
  }
  // relaxed: this thread has read the final value already.
  const bool woken =
      (claim_.load(std::memory_order_relaxed) & ~kAsleep) == kWoken;
  if (!woken || woken_in_ != this) Leave();
  return woken;
}

void Waiter::TellUnblocked() { told_->Unblocked(); }

// (P5): we leave the queue ourselves, if nobody took us out of it meanwhile.
void Waiter::Leave() {
  ParkingBucket& bucket = BucketFor(key_);
  TakeSpot();
  bucket.lock.lock();
  if (queued_) bucket.Remove(*this);
  bucket.lock.unlock();
  DropSpot();
}

WakeList::~WakeList() {
  for (Waiter* waiter = first_; waiter != nullptr;) {
    // Read before the post, which is the last touch (P4).
    Waiter* const next = waiter->next_;
    Waiter& wait = *waiter->wait_;
    wait.message_ = message_;
    wait.woken_in_ = waiter;
    wait.Post(Waiter::kWoken);
    waiter = next;
  }
}

void WakeList::Append(Waiter& waiter) {
  waiter.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
}

ParkingSpot::ParkingSpot(const void* key) : key_(key), bucket_(BucketFor(key)) {
  at_fork.Follow();
  TakeSpot();
  bucket_.lock.lock();
}

ParkingSpot::~ParkingSpot() {
  bucket_.lock.unlock();
  DropSpot();
}

void ParkingSpot::Add(Waiter& waiter) {
  assert(!waiter.queued_);
  waiter.key_ = key_;
  bucket_.Append(waiter);
}

void ParkingSpot::AddFirst(Waiter& waiter) {
  assert(!waiter.queued_);
  waiter.key_ = key_;
  bucket_.Prepend(waiter);
}

void ParkingSpot::Withdraw(Waiter& waiter) {
  assert(waiter.queued_ && waiter.key_ == key_);
  bucket_.Remove(waiter);
  waiter.Claim(Waiter::kEnded);  // or a stop has: it ends either way
}

void ParkingSpot::AddClaimed(WakeList& claimed) {
  for (Waiter* waiter = claimed.first_; waiter != nullptr;) {
    Waiter* const next = waiter->next_;
    waiter->moved_ = true;  // (P7)
    Add(*waiter);
    waiter = next;
  }
  claimed.first_ = claimed.last_ = nullptr;
}

// Takes a waiter of this key out of the queue, and claims it if that can be.
bool ParkingSpot::Take(Waiter& waiter, WakeList& woken) {
  // (P5): out of the queue first, because who is not ours once the claim fails
  // may leave as soon as this bucket is unlocked.
  bucket_.Remove(waiter);
  if (!waiter.moved_ && !waiter.wait_->Claim(Waiter::kClaimed)) return false;
  woken.Append(waiter);
  return true;
}

size_t ParkingSpot::Wake(size_t count, WakeList& woken) {
  size_t claimed = 0;
  for (Waiter* waiter = Oldest(); waiter != nullptr && claimed < count;) {
    Waiter* const next = waiter->next_ != waiter ? waiter->next_ : nullptr;
    if (Take(*waiter, woken)) ++claimed;  // `next` is the oldest now
    waiter = next;
  }
  return claimed;
}

Waiter* ParkingSpot::Oldest() const { return bucket_.Head(key_); }

std::optional<uint32_t> ParkingSpot::OldestTag() const {
  const Waiter* const oldest = Oldest();
  if (oldest == nullptr) return std::nullopt;
  return oldest->tag_;
}

bool ParkingSpot::WakeOldest(WakeList& woken) {
  Waiter* const oldest = Oldest();
  return oldest != nullptr && Take(*oldest, woken);
}

size_t ParkingSpot::CountWaiters() const {
  const Waiter* const oldest = Oldest();
  if (oldest == nullptr) return 0;
  size_t count = 1;
  for (const Waiter* w = oldest->next_; w != oldest; w = w->next_) ++count;
  return count;
}

bool ShareBucket(const void* key, const void* other) {
  return &BucketFor(key) == &BucketFor(other);
}

}  // namespace internal
}  // namespace heddle
