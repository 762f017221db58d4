// Atomic<T> of a model build: what std::atomic<T> is in an ordinary one.
//
// It has the size and the alignment of the real one and keeps the newest value
// in itself; all else that the engine knows of it is kept elsewhere, by address.
// T is copied byte by byte and has 1, 2, 4 or 8 of them.

#ifndef HEDDLE_TOOLS_EXPLORE_ATOMIC_H_
#define HEDDLE_TOOLS_EXPLORE_ATOMIC_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "heddle/tools/explore/model.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

template <typename T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 ||
                sizeof(T) == 8);
  // What can be added to it.
  using Operand =
      std::conditional_t<std::is_pointer_v<T>, ptrdiff_t,
                         std::conditional_t<std::is_integral_v<T>, T, int>>;

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  constexpr Atomic() noexcept : Atomic(T()) {}
  // Implicit, as the standard's.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Atomic(T value) noexcept : value_(value) {
    if (!std::is_constant_evaluated()) AtomicConstructed(this, sizeof(T));
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  constexpr ~Atomic() {
    if (!std::is_constant_evaluated()) AtomicDestroyed(this);
  }

  T load(std::memory_order order = std::memory_order_seq_cst,
         Where where = Where::Here()) const noexcept {
    return FromBits(AtomicLoad(this, sizeof(T), order, where));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::Here()) noexcept {
    AtomicStore(this, sizeof(T), ToBits(value), order, where);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::Here()) noexcept {
    return Change(Update::kExchange, ToBits(value), order, where);
  }

  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order success,
                               std::memory_order failure,
                               Where where = Where::Here()) noexcept {
    return CompareExchange(expected, desired, success, failure, false, where);
  }
  bool compare_exchange_strong(
      T& expected, T desired,
      std::memory_order order = std::memory_order_seq_cst,
      Where where = Where::Here()) noexcept {
    return CompareExchange(expected, desired, order, ForLoad(order), false,
                           where);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure,
                             Where where = Where::Here()) noexcept {
    return CompareExchange(expected, desired, success, failure, true, where);
  }
  bool compare_exchange_weak(
      T& expected, T desired,
      std::memory_order order = std::memory_order_seq_cst,
      Where where = Where::Here()) noexcept {
    return CompareExchange(expected, desired, order, ForLoad(order), true,
                           where);
  }

  // Of integers, and of pointers in units of what they point to.
  T fetch_add(Operand value,
              std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::Here()) noexcept {
    return Change(Update::kAdd, Scaled(value), order, where);
  }
  T fetch_sub(Operand value,
              std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::Here()) noexcept {
    return Change(Update::kSubtract, Scaled(value), order, where);
  }
  T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::Here()) noexcept {
    return Change(Update::kAnd, ToBits(value), order, where);
  }
  T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::Here()) noexcept {
    return Change(Update::kOr, ToBits(value), order, where);
  }
  T fetch_xor(T value, std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::Here()) noexcept {
    return Change(Update::kXor, ToBits(value), order, where);
  }

  // NOLINTNEXTLINE(google-explicit-constructor)
  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {  // NOLINT: the standard's returns T
    store(value);
    return value;
  }
  T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
  T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--(int) noexcept { return fetch_sub(1); }

 private:
  static uint64_t ToBits(T value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }
  static T FromBits(uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
  }
  static uint64_t Scaled(Operand value) {
    const auto operand = static_cast<uint64_t>(value);
    if constexpr (std::is_pointer_v<T>) {
      return operand * sizeof(std::remove_pointer_t<T>);
    } else {
      return operand;
    }
  }
  static constexpr std::memory_order ForLoad(std::memory_order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    if (order == std::memory_order_release) return std::memory_order_relaxed;
    return order;
  }

  T Change(Update update, uint64_t operand, std::memory_order order,
           Where where) {
    return FromBits(
        AtomicUpdate(this, sizeof(T), update, operand, order, where));
  }
  bool CompareExchange(T& expected, T desired, std::memory_order success,
                       std::memory_order failure, bool weak, Where where) {
    uint64_t bits = ToBits(expected);
    const bool done = AtomicCompareExchange(
        this, sizeof(T), bits, ToBits(desired), success, failure, weak, where);
    if (!done) expected = FromBits(bits);
    return done;
  }

  alignas(sizeof(T)) T value_;
};

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_ATOMIC_H_
