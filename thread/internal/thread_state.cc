#include "heddle/thread/internal/thread_state.h"

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "heddle/thread/except_hook.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {
namespace {

// The state of the thread that is running here; null in threads of others.
thread_local const ThreadState* current_state = nullptr;

// Keeps it until the thread's own thread_locals are destroyed: those may make
// threads, and none of them may be given the address that current_state holds.
// Made before theirs, so destroyed after them.
thread_local std::shared_ptr<const ThreadState> current_state_keeper;

}  // namespace

void ThreadState::SetPhase(Phase phase) {
  WakeList woken;
  ParkingSpot spot(&phase_);
  phase_.store(phase, std::memory_order_release);  // [PHASE]
  spot.WakeAll(woken);
}

bool ThreadState::AwaitAtLeast(Phase wanted, const WaitLimit& limit) {
  while (phase() < wanted) {
    Waiter waiter;
    {
      ParkingSpot spot(&phase_);
      if (phase() >= wanted) break;
      spot.Add(waiter);
    }
    if (!waiter.Sleep(limit)) return phase() >= wanted;
  }
  return true;
}

bool ThreadState::IsSelf() const { return current_state == this; }

bool ThreadState::IsAlive() const {
  const Phase now = phase();
  return now == kStarting || now == kRunning;
}

void ThreadState::Start() {
  // Once it runs, the function may destroy the Thread, and end before this
  // does.
  const std::shared_ptr<ThreadState> keeper = shared_from_this();
  // The thread's share of this state. Made first: memory may run out.
  auto share = std::make_unique<std::shared_ptr<ThreadState>>(keeper);
  uint32_t expected = kNew;
  if (!phase_.compare_exchange_strong(expected, kStarting,
                                      std::memory_order_relaxed)) {
    Throw(std::logic_error("Thread::Start: a thread can only be started once"));
  }
  if (const int error = os_thread_.Start(&Run, share.get()); error != 0) {
    SetPhase(kNew);
    Throw(std::system_error(error, std::generic_category(),
                            "Thread::Start: the system refused a new thread"));
  }
  static_cast<void>(share.release());  // Run() has it
  AwaitAtLeast(kRunning, WaitLimit());
}

void* ThreadState::Run(void* opaque) {
  std::unique_ptr<std::shared_ptr<ThreadState>> share(
      static_cast<std::shared_ptr<ThreadState>*>(opaque));
  ThreadState& state = **share;
  current_state = &state;
  current_state_keeper = *share;
  state.SetPhase(kRunning);
  std::exception_ptr error = CatchAll([&state] { state.Call(); });
  if (error != nullptr) ReportException(std::move(error));
  state.DestroyFunction();
  state.SetPhase(kEnded);
  return nullptr;
}

bool ThreadState::Join(const WaitLimit& limit) {
  if (phase() == kNew) {
    Throw(std::logic_error("Thread::Join: the thread was not started"));
  }
  if (IsSelf())
    Throw(std::logic_error("Thread::Join: a thread cannot join itself"));
  const WaitLimit started = limit.Started();
  if (!AwaitAtLeast(kEnded, started)) return false;
  uint32_t expected = kEnded;
  if (!phase_.compare_exchange_strong(expected, kReaping,
                                      std::memory_order_relaxed)) {
    return AwaitAtLeast(kJoined,
                        started);  // another joiner is at it, or has done it
  }
  os_thread_.Join();
  SetPhase(kJoined);
  return true;
}

void ThreadState::JoinOrLetGo() noexcept {
  if (phase() == kNew) return;
  if (IsSelf()) {
    os_thread_.Detach();
  } else {
    Join(WaitLimit());
  }
}

}  // namespace internal
}  // namespace heddle
