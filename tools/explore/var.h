// Var<T> of a model build: plain data that threads share under some rule (a
// lock, a hand-over), with every access checked for races.
//
// In an ordinary build heddle::internal::Var<T> is T itself, so it is used as a
// T would be: read by converting, written by assigning.

#ifndef HEDDLE_TOOLS_EXPLORE_VAR_H_
#define HEDDLE_TOOLS_EXPLORE_VAR_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "heddle/tools/explore/model.h"

namespace heddle {
namespace explore {

template <typename T>
class Var {
 public:
  constexpr Var() : Var(T()) {}
  // Implicit, as T's own copies are.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Var(T value) : value_(std::move(value)) {
    if (!std::is_constant_evaluated()) PlainConstructed(this, kBytes);
  }
  Var(const Var& other) : Var(other.Read()) {}
  Var& operator=(const Var& other) {
    *this = other.Read();
    return *this;
  }
  constexpr ~Var() {
    if (!std::is_constant_evaluated()) PlainDestroyed(this);
  }

  // NOLINTNEXTLINE(google-explicit-constructor)
  operator T() const { return Read(); }
  const T& Read() const {
    PlainRead(this, kBytes);
    return value_;
  }

  Var& operator=(T value) {
    PlainWritten(this, kBytes);
    value_ = std::move(value);
    return *this;
  }
  Var& operator+=(const T& value) {
    return *this = static_cast<T>(Read() + value);
  }
  Var& operator-=(const T& value) {
    return *this = static_cast<T>(Read() - value);
  }
  Var& operator++() { return *this += static_cast<T>(1); }
  Var& operator--() { return *this -= static_cast<T>(1); }
  T operator++(int) {
    const T before = Read();
    *this = static_cast<T>(before + 1);
    return before;
  }
  T operator--(int) {
    const T before = Read();
    *this = static_cast<T>(before - 1);
    return before;
  }

  // Of pointers.
  T operator->() const {
    static_assert(std::is_pointer_v<T>);
    return Read();
  }

 private:
  static constexpr size_t kBytes =
      std::is_trivially_copyable_v<T> ? sizeof(T) : 0;

  T value_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_VAR_H_
