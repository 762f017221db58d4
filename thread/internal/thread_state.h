// ThreadState: what a Thread and the thread it started share.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/thread/internal/atomic.h"
#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/thread_options.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace internal {

class ThreadState : public ThreadRecord {
 public:
  // As the methods of Thread.
  void Start();
  bool Join(const WaitLimit& limit) final;
  bool RequestStop() final { return !IsLost() && stop_.request_stop(); }
  bool WillBeJoined() const final {
    // relaxed: only the thread itself lets go what is no daemon.
    return !daemon() && owner_.load(std::memory_order_relaxed) != kLetGo;
  }

  // What the end of a Thread does: asks the thread to stop and waits for its
  // end. A daemon, and the calling thread itself, are let go instead. Nothing
  // if it was not started.
  void JoinOrLetGo() noexcept;

 protected:
  // Throws std::invalid_argument if a setting cannot be right.
  ThreadState(ThreadOptions options, std::string_view function_name,
              std::stop_source stop);
  explicit ThreadState(std::string_view function_name, std::stop_source stop);

  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  // Who deals with the system's thread when it has ended. Nobody at first; then
  // the one who changes it. relaxed: handle and end come with [PHASE].
  //
  // | owner_   | pthread_join() is called by | the phase ends as |
  // |----------|-----------------------------|-------------------|
  // | kNobody  |                             |                   |
  // | kReaper  | the first joiner            | kJoined           |
  // | kLetGo   | none: it is detached        | kGone             |
  enum Owner : uint32_t { kNobody, kReaper, kLetGo };

  // What only few threads have, not to make the others larger.
  struct Extras {
    size_t stack_size;
    std::vector<int> cpus;
    std::optional<int> niceness;
    int refusal = 0;  // the error for which the phase became kRefused
  };

  // Calls the function; then destroys it, also when it threw.
  virtual void Call() = 0;
  virtual void DestroyFunction() = 0;

  static void* Run(void* opaque);
  int StartAtSystem();
  bool TakeOn();

  Atomic<uint32_t> owner_{kNobody};
  // The thread itself writes it before kRunning or kRefused. Then only the owner
  // uses it, or the start that was refused.
  OsThread os_thread_;
  std::unique_ptr<Extras> extras_;
  std::stop_source stop_;  // without a state if the function takes no token
};

// A ThreadState that calls `body(stop_token)` or, if it takes none, `body()`.
template <typename Body>
class ThreadStateOf final : public ThreadState {
 public:
  template <typename... Settings>
  explicit ThreadStateOf(Body body, Settings&&... settings)
      : ThreadState(std::forward<Settings>(settings)...),
        body_(std::move(body)) {}

 private:
  void Call() override {
    if constexpr (std::is_invocable_v<Body&, std::stop_token>) {
      static_cast<void>((*body_)(stop_token()));
    } else {
      static_cast<void>((*body_)());
    }
  }
  void DestroyFunction() override { body_.reset(); }

  std::optional<Body> body_;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_
