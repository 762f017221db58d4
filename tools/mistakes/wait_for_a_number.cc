// A limit is a time and has a unit: absl::Seconds(5).
//
// EXPECT: NumberWithoutUnit
// EXPECT-CLANG: a deleted function

#include "heddle/sync/event.h"

void Mistake() {
  heddle::Event event;
  static_cast<void>(event.Wait(5));
}
