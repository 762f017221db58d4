// Parking: all blocking in Heddle goes through here.
//
// A thread that must wait for an object's state to change joins the queue of a
// *key* (an address, normally of the object) and sleeps; a thread that changed
// the state wakes waiters of that key, oldest first. Queues live in a fixed,
// global table of buckets, so an object needs no room for its waiters: a Lock
// is four bytes. The protocol and the argument why no wake-up is lost or spent
// twice are in README.md beside this file.
//
// The waiting side:
//
//   Waiter waiter;
//   {
//     ParkingSpot spot(this);                // the queue of this key, locked
//     if (word_.load(relaxed) != seen) continue;  // changed meanwhile: no wait
//     spot.Add(waiter);
//   }
//   const bool woken = waiter.Sleep(limit);  // false: the limit passed
//
// The waking side:
//
//   WakeList woken;                         // carried out last, nothing locked
//   ParkingSpot spot(this);
//   word_.store(kFree, release);            // the last touch of *this
//   spot.Wake(1, woken);
//
// Nothing of it may be called in a signal handler, and so nothing that waits or
// wakes: the handler may have interrupted its own thread with a bucket locked,
// and would wait for that for ever. Where windows are counted (window.h), that is
// a fatal error with a message. A wake-up that takes no lock would need a second
// kind of queue; sem_post() and pipes are there for that.
//
// Where it matters to the waker what a waiter waits for, the waiter carries a
// tag; where it matters to the waiter why it was woken, the list of the woken
// carries a message.

#ifndef HEDDLE_THREAD_INTERNAL_PARKING_H_
#define HEDDLE_THREAD_INTERNAL_PARKING_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/clock.h"
#include "heddle/thread/internal/var.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class BlockListener;
struct ParkingBucket;

// What a waiter does when it has slept for long, queued as it is: to look after
// the object itself, for example, if whom others woke for it does not come.
class WaiterAlarm {
 public:
  // When it rings next. Ring() sets it later, or to Never().
  Deadline due() const { return due_; }

  // Takes no time, and waits for nothing but a ParkingSpot. It may withdraw the
  // waiter: then the Sleep() ends, and returns false.
  virtual void Ring() = 0;

 protected:
  explicit WaiterAlarm(Deadline due) : due_(due) {}
  ~WaiterAlarm() = default;

  void set_due(Deadline due) { due_ = due; }

 private:
  Deadline due_;
};

// One wait of one thread. Lives on the waiting thread's stack.
class Waiter {
 public:
  // `tag` is for the wakers of this key to read: see ParkingSpot::OldestTag().
  explicit Waiter(uint32_t tag = 0) : wait_(this), tag_(tag) {}

  // Stands in another queue for the wait of `first`, which it must not outlive:
  // one waker in all, of whichever key, claims that. First calls Sleep(), then
  // each of the others Leave().
  explicit Waiter(Waiter* first) : wait_(first), tag_(0) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Tells the thread's BlockListener, if that heard of this wait, that it is
  // over. A wake-up that others rely on is to be used before: destroy the
  // waiter of a Lock when the lock has been taken.
  ~Waiter() {
    if (ABSL_PREDICT_FALSE(told_ != nullptr)) TellUnblocked();
  }

  // Sleeps until a ParkingSpot wakes this waiter or `limit` ends the wait,
  // whichever claims it first, and says which: true if it was woken. When it
  // returns, the waiter is in no queue. A wake-up that was spent on this waiter
  // is never lost to its limit: then the result is true.
  //
  // It looks for the wake-up for a moment, awake, before it really sleeps; but
  // who `has_looked`, awake, for what it waits for only yields. An `alarm`
  // rings in this thread, whenever it is due.
  //
  // REQUIRES: called once, by the thread that owns it, after
  // ParkingSpot::Add(); no ParkingSpot is held; `limit` is started(). Memory
  // ordering: what the waker did before it woke this waiter is visible.
  bool Sleep(const WaitLimit& limit, bool has_looked = false,
             WaiterAlarm* alarm = nullptr);

  // Takes one that stands for another's wait out of its queue, if it is there
  // yet. REQUIRES: that one's Sleep() has returned.
  void Leave();

  // After a Sleep() that returned true: the message of the WakeList; whether the
  // waiter had been moved to another key and was woken from there; and in whose
  // place it was woken, of those that stand for this wait.
  uint32_t message() const { return message_; }
  bool moved() const { return moved_; }
  const Waiter* woken_in() const { return woken_in_; }

 private:
  friend class ParkingSpot;
  friend class WakeList;
  friend struct ParkingBucket;

  // Whose the waiter is. kAsleep may be set beside the first two.
  //
  // | claim_   | meaning                                                  |
  // |----------|----------------------------------------------------------|
  // | kWaiting | nobody's: a waker, the deadline or a stop may claim it   |
  // | kClaimed | a waker's, or a stop's, until that posts; it stays put   |
  // | kWoken   | its own again: woken                                     |
  // | kEnded   | its own again: the limit passed                          |
  static constexpr uint32_t kWaiting = 0;
  static constexpr uint32_t kClaimed = 1;
  static constexpr uint32_t kWoken = 2;
  static constexpr uint32_t kEnded = 3;
  static constexpr uint32_t kAsleep = 4;  // sleeps on claim_, or is about to

  void TellUnblocked();
  bool Claim(uint32_t state);  // from kWaiting only; false: somebody else has
  void Post(uint32_t state);   // hands a claimed waiter back; its last touch
  bool IsPosted() const;
  void LookBriefly(bool has_looked) const;  // until posted, or long enough

  Atomic<uint32_t> claim_{kWaiting};  // of wait_, the only one that is used
  Waiter* const wait_;
  const uint32_t tag_;
  // The claiming waker's, of wait_.
  Var<uint32_t> message_ = 0;
  Var<const Waiter*> woken_in_ = nullptr;
  // Guarded by the bucket's lock while queued; then the claiming waker's.
  Var<const void*> key_ = nullptr;
  Var<Waiter*> next_ = nullptr;
  Var<Waiter*> previous_ = nullptr;
  Var<Waiter*> next_head_ = nullptr;  // these two: of a head only, see (P9)
  Var<Waiter*> previous_head_ = nullptr;
  Var<bool> is_head_ = false;
  Var<bool> queued_ = false;
  Var<bool> moved_ = false;  // (P7): claimed already, whoever wakes it
  // The owner's: the listener that was told of this wait, or null.
  BlockListener* told_ = nullptr;
};

// Waiters that were claimed and wait to be let go. Declare it before the locks
// under which they are claimed: they wake when it ends, after those are free.
class WakeList {
 public:
  WakeList() = default;
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;
  ~WakeList();

  // What all of them are told.
  void set_message(uint32_t message) { message_ = message; }

 private:
  friend class ParkingSpot;

  void Append(Waiter& waiter);

  Var<Waiter*> first_ = nullptr;  // in order of claiming, linked by next_
  Var<Waiter*> last_ = nullptr;
  uint32_t message_ = 0;
};

// The queue of the waiters on one key, locked from construction to destruction.
// Two keys may share a bucket: hold one spot at a time, and neither take nor
// release a Lock while holding one, nor allocate or throw: a held spot is a
// window, see window.h.
class ParkingSpot {
 public:
  explicit ParkingSpot(const void* key);
  ParkingSpot(const ParkingSpot&) = delete;
  ParkingSpot& operator=(const ParkingSpot&) = delete;
  ~ParkingSpot();

  // Puts `waiter` at the end of the queue. Its owner calls Sleep() next, after
  // this spot is gone.
  void Add(Waiter& waiter);

  // The same at the front: for one who was woken in its turn, and in vain.
  void AddFirst(Waiter& waiter);

  // True while `waiter` is in this queue: nobody has woken it. Withdraw() then
  // takes it out, and ends its wait as its limit would. For its own thread,
  // from a WaiterAlarm.
  bool Has(const Waiter& waiter) const { return waiter.queued_; }
  void Withdraw(Waiter& waiter);

  // Puts waiters who are claimed, whatever their key was, at the end of this
  // queue instead of waking them: they wake when a Wake() of this key takes
  // them, and their limits have no say any more. `claimed` is empty afterwards.
  void AddClaimed(WakeList& claimed);

  // Claims the `count` oldest waiters, or all there are, for `woken`; returns
  // how many. Those whose limit has ended their wait already do not count.
  size_t Wake(size_t count, WakeList& woken);
  size_t WakeAll(WakeList& woken) {
    return Wake(std::numeric_limits<size_t>::max(), woken);
  }

  // The tag of the oldest waiter, or nothing if there is none. Its limit may
  // just have passed: then WakeOldest() takes it out of the queue, returns
  // false, and somebody else is the oldest.
  std::optional<uint32_t> OldestTag() const;
  bool WakeOldest(WakeList& woken);

  // True if somebody is queued, and how many are. May count waiters whose limit
  // has just passed.
  bool HasWaiters() const { return Oldest() != nullptr; }
  size_t CountWaiters() const;

 private:
  Waiter* Oldest() const;
  bool Take(Waiter& waiter, WakeList& woken);

  const void* const key_;
  ParkingBucket& bucket_;
};

// Whether the queues of two keys have a lock in common. For tests.
bool ShareBucket(const void* key, const void* other);

// How many threads wait at `key`, for those who format, allocate or throw next:
// `operator new` may be a user's, and take a lock whose waiters queue in the
// bucket of this key.
inline size_t CountWaitersAt(const void* key) {
  const ParkingSpot spot(key);
  return spot.CountWaiters();
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_PARKING_H_
