#include "heddle/tools/explore/internal/fiber.h"

#include <cxxabi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heddle {
namespace explore {
namespace {

// The Itanium C++ ABI says that these two words are all there is to it.
void* RuntimeExceptions() {
  static void* const globals = abi::__cxa_get_globals();
  return globals;
}

}  // namespace

#if defined(__x86_64__)

// Saves what a called function must preserve, changes the stack, and restores
// the same from there. Rounding modes (mxcsr, the x87 control word) are the
// same for all fibers.
extern "C" void heddle_explore_switch(void** from, void* to);
asm(R"(
  .text
  .p2align 4
  .globl heddle_explore_switch
  .hidden heddle_explore_switch
  .type heddle_explore_switch, @function
heddle_explore_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size heddle_explore_switch, . - heddle_explore_switch
)");

void Fiber::Prepare(char* stack, size_t bytes, void (*entry)()) {
  // As if the entry had been called: the stack is 16-byte aligned before the
  // return address is pushed, and there is none to return to.
  auto* top = reinterpret_cast<void**>(stack + bytes);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  stack_pointer_ = top;
  exceptions_ = Exceptions();
}

void Fiber::Switch(Fiber& from, Fiber& to) {
  void* const runtime = RuntimeExceptions();
  std::memcpy(&from.exceptions_, runtime, sizeof(Exceptions));
  std::memcpy(runtime, &to.exceptions_, sizeof(Exceptions));
  heddle_explore_switch(&from.stack_pointer_, to.stack_pointer_);
}

#else

void Fiber::Prepare(char* stack, size_t bytes, void (*entry)()) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
  exceptions_ = Exceptions();
}

void Fiber::Switch(Fiber& from, Fiber& to) {
  void* const runtime = RuntimeExceptions();
  std::memcpy(&from.exceptions_, runtime, sizeof(Exceptions));
  std::memcpy(runtime, &to.exceptions_, sizeof(Exceptions));
  swapcontext(&from.context_, &to.context_);
}

#endif

}  // namespace explore
}  // namespace heddle
