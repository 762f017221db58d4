// ThreadState: what a Thread and the thread it started share.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class ThreadState : public std::enable_shared_from_this<ThreadState> {
 public:
  ThreadState() = default;
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  virtual ~ThreadState() = default;

  // As the methods of Thread.
  void Start();
  bool Join(const WaitLimit& limit);
  bool IsAlive() const;

  // Waits for the thread's end or, in that thread itself, lets it go. Nothing
  // if it was not started.
  void JoinOrLetGo() noexcept;

 private:
  // | phase_    | meaning                                  | next, by         |
  // |-----------|------------------------------------------|------------------|
  // | kNew      | not started                              | kStarting, Start |
  // | kStarting | the system was asked for a thread        | kRunning, thread |
  // |           | ... and refused                          | kNew, Start      |
  // | kRunning  | the function runs                        | kEnded, thread   |
  // | kEnded    | the function has ended and is destroyed  | kReaping, Join   |
  // | kReaping  | one joiner waits for the system's thread | kJoined, it      |
  // | kJoined   | nothing is left of it                    |                  |
  //
  // A thread let go by JoinOrLetGo() never leaves kEnded.
  //   [PHASE] release store of phase_ in SetPhase() -> acquire load in phase():
  //   what was done in one phase is visible to who sees the next.
  enum Phase : uint32_t {
    kNew,
    kStarting,
    kRunning,
    kEnded,
    kReaping,
    kJoined
  };

  // Calls the function; then destroys it, also when it threw.
  virtual void Call() = 0;
  virtual void DestroyFunction() = 0;

  static void* Run(void* opaque);

  Phase phase() const {
    return static_cast<Phase>(
        phase_.load(std::memory_order_acquire));  // [PHASE]
  }
  void SetPhase(Phase phase);
  bool AwaitAtLeast(Phase wanted, const WaitLimit& limit);
  bool IsSelf() const;

  Atomic<uint32_t> phase_{kNew};
  // Start() writes it before kRunning; the one who is reaping joins it.
  OsThread os_thread_;
};

// The ThreadState that calls `body()`.
template <typename Body>
std::shared_ptr<ThreadState> MakeThreadState(Body body) {
  class State final : public ThreadState {
   public:
    explicit State(Body body) : body_(std::move(body)) {}

   private:
    void Call() override { static_cast<void>((*body_)()); }
    void DestroyFunction() override { body_.reset(); }

    std::optional<Body> body_;
  };
  return std::make_shared<State>(std::move(body));
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_
