#include "heddle/thread/internal/at_exit.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "heddle/thread/internal/at_fork.h"
#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/call_reporting.h"
#include "heddle/thread/internal/one_line.h"
#include "heddle/thread/internal/parking.h"
#include "heddle/thread/internal/per_thread.h"
#include "heddle/thread/internal/raw_lock.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_id.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/internal/thread_registry.h"
#include "heddle/thread/internal/throw.h"
#include "heddle/thread/lock_guard.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

// Constant-initialised and never destroyed, as all that threads may touch.
//
//   (X1) a hook is in the list, or running, or nobody's; all under `lock`.
//   (X2) `running` is set in the step that takes a hook out of the list, and
//        cleared when it has run. So a destructor that finds its hook in neither
//        is done; one that finds it running waits on the bucket of `lock`.
struct ExitHooks {
  RawLock lock;
  ExitHook* newest ABSL_GUARDED_BY(lock) = nullptr;
  const ExitHook* running ABSL_GUARDED_BY(lock) = nullptr;
  uint64_t running_in ABSL_GUARDED_BY(lock) = 0;  // CurrentIdent()
  bool done ABSL_GUARDED_BY(lock) = false;

  void Unlink(ExitHook& hook) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    (hook.newer_ != nullptr ? hook.newer_->older_ : newest) = hook.older_;
    if (hook.older_ != nullptr) hook.older_->newer_ = hook.newer_;
    hook.registered_ = false;
  }

  // For the child of a fork(): the parent's hooks are not called here. If it was
  // called in a hook, that goes on; if another thread was ending the process,
  // that is the parent's affair.
  void ResetInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock.ResetInChild();
    newest = nullptr;
    if (running != nullptr && running_in == ThisThread().ident) return;
    running = nullptr;
    done = done && ThreadRegistry::IsExitingHere();
  }

  // Runs one; false if there is none, and from then on there will be none.
  bool RunNewest() {
    void (*run)(void*) = nullptr;
    void* argument = nullptr;
    {
      LockGuard guard(lock);
      if (newest == nullptr) {
        done = true;
        return false;
      }
      running = newest;
      running_in = CurrentIdent();
      run = newest->run_;
      argument = newest->argument_;
      Unlink(*newest);  // (X2)
    }
    CallReporting([&] { run(argument); });
    WakeList woken;
    ParkingSpot spot(this);
    LockGuard guard(lock);
    running = nullptr;  // (X2)
    spot.WakeAll(woken);
    return true;
  }

  bool IsRunningElsewhere(const ExitHook& hook) {
    LockGuard guard(lock);
    return running == &hook && running_in != CurrentIdent();
  }
};

namespace {

constinit ExitHooks hooks;

// Whether std::atexit() was called. Set after that: twice does no harm, and no
// thread goes on before it is done.
constinit Atomic<bool> leaves_at_exit{false};

// A child calls std::atexit() once more: what the parent has registered comes
// after the destructors of statics that the child has made since.
constinit AtFork at_fork([] {
  hooks.ResetInChild();
  leaves_at_exit.store(false, std::memory_order_relaxed);  // one thread
});

// How long the end of the process waits without a word.
WaitLimit Patience() { return WaitLimit(std::chrono::seconds(3)).Started(); }

void Name(const ThreadRecord& thread) {
  std::exception_ptr error = CatchAll([&thread] {
    const std::string line =
        absl::StrCat("heddle: the end of the program waits for the thread '",
                     OneLine(thread.name()), "' (",
                     thread.native_id().value_or(0), "), which ",
                     thread.Waits() ? "waits in a call of Heddle's\n"
                                    : "runs, or waits elsewhere\n");
    std::fputs(line.c_str(), stderr);
  });
  static_cast<void>(error);  // no memory for a name
}

void LeaveProcess() {
  if (!ThreadRegistry::BeginExit()) return;
  while (hooks.RunNewest()) {
  }
  WaitLimit patience = Patience();
  for (;;) {
    // All are asked before one is joined: they may wait for each other.
    while (const RefPtr<ThreadRecord> thread = ThreadRegistry::NextToStop())
      thread->RequestStop();
    const RefPtr<ThreadRecord> thread = ThreadRegistry::NextToJoin();
    if (!thread) return;
    bool joined = true;
    std::exception_ptr error =
        CatchAll([&] { joined = thread->Join(patience); });
    // Its start was refused meanwhile: then there is nothing to wait for.
    static_cast<void>(error);
    if (joined) continue;
    while (const RefPtr<ThreadRecord> late =
               ThreadRegistry::NextToName(*thread))
      Name(*late);
    patience = Patience();
  }
}

// The thread_locals of the thread that ends the process are destroyed before
// all statics, whenever those were made. That makes this the earliest moment at
// which "main() is over" can be seen. It keeps no state: what is per thread is
// in PerThread.
struct LeavesProcessInMain {
  ~LeavesProcessInMain() {
    if (armed) LeaveProcess();
  }
  bool armed = false;
};
thread_local LeavesProcessInMain leaves_process;

// Statics are initialised in the main thread, unless this library was loaded by
// another one later: then only the handler below is left.
[[maybe_unused]] const bool main_is_armed = leaves_process.armed =
    IsMainThread();

}  // namespace

bool ExitHook::Register() {
  JoinThreadsAtExit();
  LockGuard guard(hooks.lock);
  if (hooks.done) return false;
  older_ = hooks.newest;
  if (older_ != nullptr) older_->newer_ = this;
  hooks.newest = this;
  forks_ = Forks();
  registered_ = true;
  return true;
}

ExitHook::~ExitHook() {
  if (forks_ != Forks()) return;  // the parent's: in no list here
  {
    LockGuard guard(hooks.lock);
    if (registered_) {
      hooks.Unlink(*this);
      return;
    }
  }
  while (hooks.IsRunningElsewhere(*this)) {  // (X2)
    Waiter waiter;
    {
      ParkingSpot spot(&hooks);
      if (!hooks.IsRunningElsewhere(*this)) return;
      spot.Add(waiter);
    }
    waiter.Sleep(WaitLimit());
  }
}

void JoinThreadsAtExit() {
  at_fork.Follow();
  // Registered late, so that few statics are destroyed before it is called.
  if (leaves_at_exit.load(std::memory_order_acquire)) return;
  static_cast<void>(std::atexit(&LeaveProcess));
  leaves_at_exit.store(true, std::memory_order_release);
}

}  // namespace internal
}  // namespace heddle
