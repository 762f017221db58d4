// CallableCell<F>: room for a callable that is destroyed before the task around
// it: as soon as it has run, or will never run.
//
// It does not destroy the callable by itself. So it is the last member of its
// owner: if a later one could not be made, nobody would destroy the callable.

#ifndef HEDDLE_POOL_INTERNAL_CALLABLE_CELL_H_
#define HEDDLE_POOL_INTERNAL_CALLABLE_CELL_H_

#include <utility>

#include "heddle/thread/internal/call_reporting.h"

namespace heddle {
namespace pool_internal {

template <typename F>
class CallableCell {
 public:
  template <typename Source>
  explicit CallableCell(Source&& source)
      : callable_(std::forward<Source>(source)) {}
  CallableCell(const CallableCell&) = delete;
  CallableCell& operator=(const CallableCell&) = delete;
  ~CallableCell() noexcept {}  // the owner has called Destroy()

  F& get() { return callable_; }

  // Destroys the callable. A destructor that throws is reported to the except
  // hook. REQUIRES: called once.
  void Destroy() noexcept {
    internal::CallReporting([this] { callable_.~F(); });
  }

 private:
  union {
    F callable_;
  };
};

// One that is destroyed with what it is part of; for the same reason: a
// destructor that throws is reported.
template <typename F>
class OwnedCallable : public CallableCell<F> {
 public:
  using CallableCell<F>::CallableCell;
  ~OwnedCallable() { this->Destroy(); }
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_CALLABLE_CELL_H_
