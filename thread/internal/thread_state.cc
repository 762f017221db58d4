#include "heddle/thread/internal/thread_state.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/at_exit.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/default_stack_size.h"
#include "heddle/thread/internal/no_cancel.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/start_fault.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/thread_registry.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/thread_options.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

// A thread of somebody else's has not chosen to be a daemon, though it counts
// as one; what it makes with Heddle is joined as anybody's.
bool InheritedDaemon() {
  const ThreadRecord* const maker = ThisThread().record;
  return maker != nullptr && maker->kind() == ThreadRecord::Kind::kStarted &&
         maker->daemon();
}

void CheckOptions(const ThreadOptions& options) {
  if (options.stack_size != 0) CheckStackSize("Thread", options.stack_size);
  for (const int cpu : options.cpus) {
    if (cpu < 0) {
      Throw(
          std::invalid_argument(absl::StrCat("Thread: there is no CPU ", cpu)));
    }
  }
  if (const int nice = options.niceness.value_or(0); nice < -20 || nice > 19) {
    Throw(std::invalid_argument(absl::StrCat(
        "Thread: niceness must be from -20 to 19, and is ", nice)));
  }
}

}  // namespace

ThreadState::ThreadState(std::string_view function_name, std::stop_source stop)
    : ThreadRecord(std::string(), function_name, InheritedDaemon()),
      stop_(std::move(stop)) {}

ThreadState::ThreadState(ThreadOptions options, std::string_view function_name,
                         std::stop_source stop)
    : ThreadRecord(std::move(options.name), function_name,
                   options.daemon.value_or(InheritedDaemon())),
      joins_at_exit_(options.join_at_exit),
      stop_(std::move(stop)) {
  CheckOptions(options);
  if (options.stack_size != 0 || !options.cpus.empty() ||
      options.niceness.has_value()) {
    extras_ = std::make_unique<Extras>(
        Extras{options.stack_size, std::move(options.cpus), options.niceness});
  }
}

void ThreadState::Start() {
  // Once it runs, the function may destroy the Thread, and end before this
  // does.
  const RefPtr<ThreadState> keeper(this);
  if (phase() == kNew) BelongHere();
  uint32_t expected = kNew;
  if (!phase_.compare_exchange_strong(expected, kStarting,
                                      std::memory_order_relaxed)) {
    Throw(std::logic_error("Thread::Start: a thread can only be started once"));
  }
  JoinThreadsAtExit();
  // relaxed: what sees kRunning, or is this thread, sees it.
  ident_.store(NextIdent(), std::memory_order_relaxed);
  const auto admission = ThreadRegistry::Add(*this);
  if (admission == ThreadRegistry::Admission::kRefused) {
    SetPhase(kNew);
    Throw(std::logic_error(
        "Thread::Start: the process is exiting, no thread can be started"));
  }
  if (admission == ThreadRegistry::Admission::kAdmittedAtExit) RequestStop();
  if (const int error = StartAtSystem(); error != 0) {
    ThreadRegistry::Remove(*this);
    SetPhase(kNew);
    Throw(std::system_error(
        error, std::generic_category(),
        extras_ == nullptr
            ? "Thread::Start: the system refused a new thread"
            : "Thread::Start: the system refused a new thread with these "
              "options"));
  }
}

// Returns 0 or an error, and then there is no thread.
//
// That the system has made the thread is enough: it will run, and what can be
// asked of it from now on is answered as if it did. Waiting here for its first
// step would cost two changes of context, more than all the rest. Only a thread
// that asks for something of the system itself is waited for.
int ThreadState::StartAtSystem() {
  Ref();  // the thread's
  size_t stack_size = extras_ == nullptr ? 0 : extras_->stack_size;
  if (stack_size == 0) stack_size = DefaultStackSize();
  const std::vector<int> no_cpus;
  int error = StartFault::Wanted();
  if (error == 0) {
    error = OsThread::Start(&Run, this, stack_size,
                            extras_ == nullptr ? no_cpus : extras_->cpus);
  }
  if (error != 0) {
    Unref();
    return error;
  }
  if (extras_ == nullptr || !extras_->niceness.has_value()) return 0;
  if (AwaitStarted() != kRefused) return 0;
  os_thread_.Join();
  return extras_->refusal;
}

// In the new thread: gets what the options ask for. False if that is refused.
bool ThreadState::TakeOn() {
  os_thread_ = OsThread::Current();
  // relaxed: read after kRunning was seen, or in this thread.
  native_id_.store(ThreadId(), std::memory_order_relaxed);
  if (extras_ == nullptr || !extras_->niceness.has_value()) return true;
  extras_->refusal = SetNicenessOfThisThread(*extras_->niceness);
  return extras_->refusal == 0;
}

void ThreadState::DestroyReporting() noexcept {
  CallReporting([this] { DestroyFunction(); });
}

void* ThreadState::Run(void* opaque) {
  const auto self =
      RefPtr<ThreadState>::Adopt(static_cast<ThreadState*>(opaque));
  if (!self->TakeOn()) {
    self->SetPhase(kRefused);
    return nullptr;
  }
  self->BecomeCurrent();
  self->ApplySystemName();
  self->SetPhase(kRunning);
  {
    // Also when the function ends the thread itself, which unwinds the stack.
    // Then the system has it on the way out, and it must not be cancelled again
    // in a destructor.
    struct End {
      ThreadState& state;
      ~End() {
        const NoCancel no_cancel;
        state.DestroyReporting();
        state.phase_.store(kEnded, std::memory_order_release);  // [PHASE]
      }
    };
    const End end{*self};
    CallReporting([&self] { self->Call(); });
  }
  return nullptr;  // kGone follows at the thread's very end: EndOf()
}

bool ThreadState::Join(const WaitLimit& limit) {
  if (IsCurrent())
    Throw(std::logic_error("Thread::Join: a thread cannot join itself"));
  if (IsLost()) return true;  // in the child of a fork(): nothing is left of it
  const WaitLimit started = limit.Started();
  if (!AwaitEnd(kGone, started)) {
    if (phase() != kNew) return false;
    Throw(std::logic_error("Thread::Join: the thread was not started"));
  }
  for (;;) {
    uint32_t owner = kNobody;
    if (owner_.compare_exchange_strong(owner, kReaper,
                                       std::memory_order_relaxed)) {
      return Reap(started);
    }
    if (owner == kLetGo || phase() == kJoined) return true;
    // Another joiner is at it, and may give up.
    Waiter waiter;
    {
      ParkingSpot spot(end_key());
      owner = owner_.load(std::memory_order_relaxed);  // (J1)
      if (owner == kNobody || owner == kLetGo || phase() == kJoined) continue;
      spot.Add(waiter);
    }
    if (!waiter.Sleep(started)) return phase() == kJoined;
  }
}

// REQUIRES: owner_ is kReaper, and this thread has made it that.
bool ThreadState::Reap(const WaitLimit& limit) {
  if (os_thread_.JoinWithin(limit)) {
    ThreadRegistry::Remove(*this);
    SetPhase(kJoined);
    return true;
  }
  bool let_go = false;
  {
    WakeList woken;
    ParkingSpot spot(end_key());
    uint32_t owner = kReaper;
    if (!owner_.compare_exchange_strong(owner, kNobody,
                                        std::memory_order_relaxed)) {
      owner_.store(kLetGo, std::memory_order_relaxed);
      let_go = true;
    }
    spot.WakeAll(woken);  // (J1)
  }
  if (let_go) LetGo();  // (J2)
  return false;
}

// REQUIRES: owner_ is kLetGo, and this thread has made it that.
void ThreadState::LetGo() {
  os_thread_.Detach();
  // EndOf() has left it to a joiner, if it came before.
  if (phase() >= kGone) ThreadRegistry::Remove(*this);
}

void ThreadState::JoinOrLetGo() noexcept {
  if (phase() == kNew || IsLost()) return;
  if (!IsCurrent() && !daemon()) {
    RequestStop();
    Join(WaitLimit());
    return;
  }
  AwaitStarted();  // until it has said which thread it is: [PHASE]
  for (;;) {
    uint32_t owner = kNobody;
    if (owner_.compare_exchange_strong(owner, kLetGo,
                                       std::memory_order_relaxed)) {
      LetGo();
      return;
    }
    // A joiner deals with it: it has joined it, will, or detaches it (J2).
    if (owner != kReaper ||
        owner_.compare_exchange_strong(owner, kLastReaper,
                                       std::memory_order_relaxed)) {
      return;
    }
  }
}

}  // namespace internal
}  // namespace heddle
