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
  bool JoinsAtExit() const final { return joins_at_exit_ && !daemon(); }
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

  // DestroyFunction(); what a destructor throws goes to the except hook.
  void DestroyReporting() noexcept;

 private:
  // Who deals with the system's thread when it has ended. Nobody at first; then
  // the one who changes it. relaxed: handle and end come with [PHASE].
  //
  // | owner_      | pthread_join() is called by      | next, by           |
  // |-------------|----------------------------------|--------------------|
  // | kNobody     |                                  | kReaper, a joiner  |
  // |             |                                  | kLetGo             |
  // | kReaper     | a joiner, within its limit       | kNobody, the same  |
  // |             |                                  | kLastReaper        |
  // | kLastReaper | the same; the Thread is let go   | kLetGo, the same   |
  // | kLetGo      | none: it is detached             |                    |
  //
  // A reaper that joins it sets the phase to kJoined and leaves owner_ as it
  // is. One whose limit passes first gives the thread back; the other joiners
  // are parked on the key of the end until one of the two:
  //   (J1) owner_ leaves kReaper and kLastReaper with that key's bucket locked,
  //        and a joiner reads it with the bucket locked before it parks.
  //   (J2) somebody calls pthread_join() or pthread_detach(), once: who is let
  //        go while another reaps leaves that to the reaper.
  enum Owner : uint32_t { kNobody, kReaper, kLastReaper, kLetGo };

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
  bool Reap(const WaitLimit& limit);
  void LetGo();
  bool TakeOn();

  Atomic<uint32_t> owner_{kNobody};
  // The thread itself writes it before kRunning or kRefused. Then only the owner
  // uses it, or the start that was refused.
  OsThread os_thread_;
  bool joins_at_exit_ = true;  // if it is no daemon
  std::unique_ptr<Extras> extras_;
  std::stop_source stop_;  // without a state if the function takes no token
};

// A ThreadState that calls `body(stop_token)` or, if it takes none, `body()`.
template <typename Body>
class ThreadStateOf final : public ThreadState {
 public:
  // `make()` returns the body, and does that right where it is kept: what a
  // user gives is copied or moved once.
  template <typename Make, typename... Settings>
  explicit ThreadStateOf(const Make& make, Settings&&... settings)
      : ThreadState(std::forward<Settings>(settings)...), body_(make()) {}
  ThreadStateOf(const ThreadStateOf&) = delete;
  ThreadStateOf& operator=(const ThreadStateOf&) = delete;
  ~ThreadStateOf() noexcept override {
    if (has_body_) DestroyReporting();  // it never ran
  }

 private:
  void Call() override {
    if constexpr (std::is_invocable_v<Body&, std::stop_token>) {
      static_cast<void>(body_(stop_token()));
    } else {
      static_cast<void>(body_());
    }
  }
  void DestroyFunction() override {
    has_body_ = false;
    body_.~Body();
  }

  bool has_body_ = true;
  union {  // it ends with the function
    Body body_;
  };
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_STATE_H_
