// SmallAction: a callable without arguments, kept without an allocation.

#ifndef HEDDLE_SYNC_INTERNAL_SMALL_ACTION_H_
#define HEDDLE_SYNC_INTERNAL_SMALL_ACTION_H_

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace heddle {
namespace sync_internal {

class SmallAction {
 public:
  static constexpr std::size_t kSize = 3 * sizeof(void*);

  SmallAction() = default;  // none
  template <typename Action>
  requires std::is_invocable_v<Action&>
  explicit SmallAction(Action action) : do_(&Do<Action>) {
    // NOLINTNEXTLINE(misc-redundant-expression): only where it just fits
    static_assert(sizeof(Action) <= kSize && alignof(Action) <= alignof(void*),
                  "the action is too large to be kept without an allocation: "
                  "capture by reference");
    static_assert(std::is_nothrow_move_constructible_v<Action>,
                  "what the action captures must not throw when it is moved");
    new (place_) Action(std::move(action));
  }
  SmallAction(SmallAction&& other) noexcept : do_(other.do_) {
    if (do_ != nullptr) do_(kMoveHere, other.place_, place_);
  }
  SmallAction& operator=(SmallAction&&) = delete;
  ~SmallAction() {
    if (do_ != nullptr) do_(kDestroy, place_, nullptr);
  }

  explicit operator bool() const { return do_ != nullptr; }

  // REQUIRES: there is one.
  void operator()() { do_(kCall, place_, nullptr); }

 private:
  enum What { kCall, kMoveHere, kDestroy };

  template <typename Action>
  static void Do(What what, void* place, void* here) {
    Action& action = *std::launder(static_cast<Action*>(place));
    switch (what) {
      case kCall:
        static_cast<void>(action());
        return;
      case kMoveHere:
        new (here) Action(std::move(action));
        return;
      case kDestroy:
        action.~Action();
        return;
    }
  }

  alignas(void*) unsigned char place_[kSize];
  void (*do_)(What what, void* place, void* here) = nullptr;
};

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_SMALL_ACTION_H_
