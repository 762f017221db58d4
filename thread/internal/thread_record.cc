#include "heddle/thread/internal/thread_record.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_name.h"
#include "heddle/thread/internal/thread_registry.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

// relaxed in both: all that counts is that no two are alike.
uint64_t NextDefaultNumber() {
  constinit static Atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::string NextDummyName() {
  constinit static Atomic<uint64_t> last{0};
  return absl::StrCat("Dummy-",
                      last.fetch_add(1, std::memory_order_relaxed) + 1);
}

// Of all names. One lock is enough, because it is held for a copy or a swap.
constinit RawLock name_lock;
constinit AtFork at_fork([] { name_lock.ResetInChild(); });

// The end of the calling thread's record, called by ArmThreadEnd().
void EndRecord(PerThread& thread) {
  ThreadRecord* const record = std::exchange(thread.record, nullptr);
  thread.waits = nullptr;
  ThreadRegistry::EndOf(*record);
  record->Unref();
}

}  // namespace

ThreadRecord::ThreadRecord(Kind kind)
    : phase_(kRunning),
      kind_(kind),
      daemon_(kind == Kind::kForeign),
      default_number_(0),
      name_(std::make_shared<const std::string>(
          kind == Kind::kMain ? "MainThread" : NextDummyName())) {
  if (kind == Kind::kForeign) {
    ident_.store(CurrentIdent(), std::memory_order_relaxed);
    native_id_.store(ThreadId(), std::memory_order_relaxed);
  } else {
    ident_.store(MainIdent(), std::memory_order_relaxed);
    native_id_.store(MainThreadId(), std::memory_order_relaxed);
  }
}

ThreadRecord::ThreadRecord(std::string name, std::string_view function_name,
                           bool daemon)
    : phase_(kNew),
      kind_(Kind::kStarted),
      daemon_(daemon),
      function_name_(function_name),
      default_number_(name.empty() ? NextDefaultNumber() : 0),
      name_(name.empty()
                ? nullptr
                : std::make_shared<const std::string>(std::move(name))) {}

// Each queue's bucket is locked while the phase changes or after it, before its
// waiters are woken: (P6) of the parking layer. The record outlives that, since
// whoever calls this holds a reference.
void ThreadRecord::SetPhase(Phase phase) {
  {
    WakeList woken;
    ParkingSpot spot(phase <= kRunning ? start_key() : end_key());
    phase_.store(phase, std::memory_order_release);  // [PHASE]
    spot.WakeAll(woken);
  }
  if (phase != kNew) return;
  // The start has failed. Who waits for the end waits for what does not come.
  WakeList woken;
  ParkingSpot spot(end_key());
  spot.WakeAll(woken);
}

void ThreadRecord::SurviveFork() {
  BelongHere();
  native_id_.store(ThreadId(), std::memory_order_relaxed);
}

ThreadRecord::Phase ThreadRecord::AwaitStarted() const {
  for (;;) {
    if (const Phase now = phase(); now != kStarting) return now;
    Waiter waiter;
    {
      ParkingSpot spot(start_key());
      if (phase() != kStarting) continue;
      spot.Add(waiter);
    }
    waiter.Sleep(WaitLimit());
  }
}

bool ThreadRecord::AwaitEnd(Phase wanted, const WaitLimit& limit) const {
  for (;;) {
    // A look without the lock: a thread that has ended is joined at the price
    // of a load.
    if (const Phase now = phase(); now >= wanted || now == kNew)
      return now >= wanted;
    Waiter waiter;
    {
      ParkingSpot spot(end_key());
      if (const Phase now = phase(); now >= wanted || now == kNew) continue;
      spot.Add(waiter);
    }
    if (!waiter.Sleep(limit)) return phase() >= wanted;
  }
}

bool ThreadRecord::IsAlive() const {
  const Phase now = phase();
  return now >= kStarting && now <= kRunning;
}

// Not by the thread's record: the last that the system does at a thread's end,
// which may be anything, comes after EndRecord().
bool ThreadRecord::IsCurrent() const {
  // relaxed: a thread sees its own number.
  const uint64_t ident = ident_.load(std::memory_order_relaxed);
  return ident != 0 && ident == CurrentIdent();
}

bool ThreadRecord::Join(const WaitLimit& limit) {
  static_cast<void>(limit);
  Throw(std::logic_error(
      kind_ == Kind::kMain
          ? "Join: the main thread cannot be joined"
          : "Join: a thread that Heddle did not start cannot be joined"));
}

std::shared_ptr<const std::string> ThreadRecord::GivenName() const {
  at_fork.Follow();
  LockGuard guard(name_lock);
  return name_;
}

std::string ThreadRecord::name() const {
  if (const auto given = GivenName(); given != nullptr) return *given;
  if (function_name_.empty()) return absl::StrCat("Thread-", default_number_);
  // Where Abseil is built with a string_view of its own, as Debian's is, StrCat()
  // does not take the standard's.
  return absl::StrCat("Thread-", default_number_, " (",
                      std::string(function_name_), ")");
}

void ThreadRecord::set_name(std::string name) {
  auto shared = std::make_shared<const std::string>(std::move(name));
  if (IsCurrent()) SetSystemName(*shared);
  at_fork.Follow();
  LockGuard guard(name_lock);
  name_.swap(shared);
  // `shared`, now the old name, was declared before `guard`: it is destroyed
  // when the lock is free.
}

// Everything on the stack: a start allocates nothing, and a default name is cut
// anyway.
void ThreadRecord::ApplySystemName() const {
  if (const auto given = GivenName(); given != nullptr) {
    SetSystemName(*given);
    return;
  }
  const absl::AlphaNum number(default_number_);
  char text[64] = "Thread-";
  size_t size = sizeof("Thread-") - 1;
  size += number.Piece().copy(text + size, sizeof(text) - size);
  if (!function_name_.empty()) {
    size += std::string_view(" (").copy(text + size, sizeof(text) - size);
    size += function_name_.copy(text + size, sizeof(text) - size);
    size += std::string_view(")").copy(text + size, sizeof(text) - size);
  }
  SetSystemName(std::string_view(text, size));
}

std::optional<uint64_t> ThreadRecord::ident() const {
  const uint64_t ident = ident_.load(std::memory_order_relaxed);
  if (ident == 0 || phase() == kNew) return std::nullopt;
  return ident;
}

std::optional<uint64_t> ThreadRecord::native_id() const {
  // Only the thread itself can ask the system for it, and does so first.
  if (AwaitStarted() < kRunning) return std::nullopt;
  const uint32_t id = native_id_.load(std::memory_order_relaxed);
  if (id == 0) return std::nullopt;
  return id;
}

bool ThreadRecord::daemon() const {
  return daemon_.load(std::memory_order_relaxed);
}

void ThreadRecord::set_daemon(bool daemon) {
  if (phase() != kNew) {
    Throw(std::logic_error(
        "Thread::set_daemon: the thread has been started already"));
  }
  daemon_.store(daemon, std::memory_order_relaxed);
}

std::string ThreadRecord::DebugString() const {
  const Phase now = phase();
  std::string text = absl::StrCat("<Thread(", name(), ", ",
                                  now == kNew    ? "initial"
                                  : now < kEnded ? "started"
                                                 : "stopped",
                                  daemon() ? " daemon" : "");
  if (const std::optional<uint64_t> id = ident(); id.has_value())
    absl::StrAppend(&text, " ", *id);
  absl::StrAppend(&text, ")>");
  return text;
}

void ThreadRecord::BecomeCurrent() {
  PerThread& thread = ThisThread();
  Ref();
  thread.record = this;
  thread.waits = &waits_;
  // relaxed: it was written before this thread began, or by it.
  thread.ident = ident_.load(std::memory_order_relaxed);
  thread.end_record = &EndRecord;
  ArmThreadEnd(thread);
}

// Not inline: clang's analyzer, which cannot count, takes each object that a
// RefPtr has let go for a deleted one.
void ThreadRecord::Unref() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // [LAST]
    delete this;
}

}  // namespace internal
}  // namespace heddle
