// There is nothing to wait for.
//
// EXPECT: there must be a source

#include "heddle/queue/select.h"

void Mistake() { static_cast<void>(heddle::SelectGet()); }
