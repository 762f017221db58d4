// StopCallback<F> of a model build: std::stop_callback<F> for threads that are
// all one thread of the system.
//
// The standard's destructor waits for a callback that another thread is running,
// and tells that thread from its own by the system's id. Here that is the same
// for all, so it would return at once; this one waits, in the model.

#ifndef HEDDLE_TOOLS_EXPLORE_STOP_CALLBACK_H_
#define HEDDLE_TOOLS_EXPLORE_STOP_CALLBACK_H_

#include <cstdint>
#include <stop_token>
#include <utility>

#include "heddle/tools/explore/model.h"

namespace heddle {
namespace explore {

template <typename Callback>
class StopCallback {
 public:
  using callback_type = Callback;

  template <typename Function>
  StopCallback(const std::stop_token& token, Function&& function)
      : function_(std::forward<Function>(function)),
        registered_(Registers()),
        callback_(token, Run{this}) {}
  StopCallback(const StopCallback&) = delete;
  StopCallback& operator=(const StopCallback&) = delete;

  ~StopCallback() {
    Step("removes a stop callback");
    // No scheduling point from here to the end of the standard's: either it
    // finds the callback still registered, or that has ended.
    while (running_in_ != 0 && running_in_ != CurrentThread() + 1)
      WaitFor(this, "a stop callback that another thread is running");
    Acquire(done_);
  }

 private:
  struct Run {
    StopCallback* self;
    void operator()() const { self->Invoke(); }
  };

  // The stop may be requested just before.
  static const void* Registers() {
    Step("registers a stop callback");
    return Release();
  }

  void Invoke() {
    running_in_ = CurrentThread() + 1;
    // The registration happens before the call, whichever thread makes it.
    Acquire(registered_);
    std::move(function_)();
    running_in_ = 0;
    done_ = Release();
    NotifyAll(this);
  }

  Callback function_;
  const void* const registered_;
  const void* done_ = nullptr;
  uint32_t running_in_ = 0;           // the thread plus one; 0: none
  std::stop_callback<Run> callback_;  // the last: may call at once
};

template <typename Callback>
StopCallback(std::stop_token, Callback) -> StopCallback<Callback>;

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_STOP_CALLBACK_H_
