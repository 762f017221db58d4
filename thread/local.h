// Local<T>: a value of its own for each thread, as long as both live.
//
// Where a thread_local variable will do, take that: it is faster still, and
// needs no object. A Local is an object: there may be many, made and destroyed
// at any time, as members or in containers.
//
// Example: each thread of a parser's users has a buffer of its own there.
//
//   class Parser {
//     Local<std::string> buffer_{[] { return std::string(1024, '\0'); }};
//     ...
//     void Parse() { std::string& buffer = *buffer_; ... }
//   };
//
// A thread's value is made when the thread first asks for it, by the factory,
// in that thread; what the factory throws comes to who asked, and the next to
// ask has it tried again. It is destroyed
//
//   - at the thread's end, in that thread, after its thread_local objects (where
//     the system has it so: glibc), the newest value first; or
//   - with the Local, if that is first, in the thread that destroys it. After
//     ~Local() no value is left: it waits for those that a thread's end is just
//     destroying, unless it is called from within such a value's destructor.
//
// So the destructor of a T must not rely on which thread it runs in. It may use
// other Locals; used at a thread's end, a value that is gone already is made
// anew, and destroyed in turn, up to three times: after that it lives as long as
// its Local. The end of the process is not the end of its main thread or of a
// daemon: their values end with the Local, or not at all. (Python:
// threading.local, whose attributes are here the members of T.)
//
// Thread safety: all methods but the destructor, which must come after every
// other use; threads may end at any time. A T is its thread's alone, unless you
// hand it around. The factory may be called in many threads at once.

#ifndef HEDDLE_THREAD_LOCAL_H_
#define HEDDLE_THREAD_LOCAL_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/local_core.h"

namespace heddle {

template <typename T>
class Local {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>,
                "each thread has an object of its own here: for a reference "
                "take a pointer, for an array a std::array");

 public:
  // Values are T().
  Local() requires std::is_default_constructible_v<T>
      : Local([] { return T(); }) {}

  // Values are what `factory()` returns, which T need not be able to move.
  // Throws std::bad_alloc and what moving or copying the factory throws.
  template <typename Factory>
  requires std::is_invocable_v < const std::decay_t<Factory>
  & > explicit Local(Factory&& factory)
      : factory_(std::make_unique<FactoryOf<std::decay_t<Factory>>>(
            std::forward<Factory>(factory))) {}

  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() = default;

  // The calling thread's value. When it has to be made first: throws what the
  // factory throws, std::bad_alloc, and std::logic_error if the factory asks
  // for the very value that it makes. Nothing has changed then.
  T& Get() const {
    if (internal::LocalValue* const value = core_.Find();
        ABSL_PREDICT_TRUE(value != nullptr)) {
      return static_cast<Value*>(value)->object;
    }
    return static_cast<Value*>(core_.Make(&Make, factory_.get()))->object;
  }
  T& operator*() const { return Get(); }
  T* operator->() const { return std::addressof(Get()); }

  // The calling thread's value if it has been made, else null.
  [[nodiscard]] T* Find() const {
    internal::LocalValue* const value = core_.Find();
    return value == nullptr
               ? nullptr
               : std::addressof(static_cast<Value*>(value)->object);
  }

 private:
  struct Value final : internal::LocalValue {
    template <typename Factory>
    explicit Value(const Factory& factory)
        : LocalValue([](LocalValue* value) noexcept {
            delete static_cast<Value*>(value);
          }),
          object(factory()) {}
    T object;
  };

  class AnyFactory {
   public:
    AnyFactory() = default;
    AnyFactory(const AnyFactory&) = delete;
    AnyFactory& operator=(const AnyFactory&) = delete;
    virtual ~AnyFactory() = default;
    virtual Value* Make() const = 0;
  };
  template <typename Factory>
  class FactoryOf final : public AnyFactory {
   public:
    template <typename F>
    explicit FactoryOf(F&& factory) : factory_(std::forward<F>(factory)) {}
    Value* Make() const override { return new Value(factory_); }

   private:
    const Factory factory_;
  };

  static internal::LocalValue* Make(const void* factory) {
    return static_cast<const AnyFactory*>(factory)->Make();
  }

  const std::unique_ptr<const AnyFactory> factory_;
  mutable internal::LocalCore
      core_;  // ends first: values may use the factory's
};

}  // namespace heddle

#endif  // HEDDLE_THREAD_LOCAL_H_
