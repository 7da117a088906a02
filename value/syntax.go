package value

import "fmt"

// SyntaxError says where a text stops being acceptable JSON.
type SyntaxError struct {
	Offset  int    // byte offset of the fault
	Pointer string // JSON pointer of the value being read, "" for the root
	Reason  string
}

func (e *SyntaxError) Error() string {
	at := e.Pointer
	if at == "" {
		at = "/"
	}
	return fmt.Sprintf("invalid JSON at byte %d (%s): %s", e.Offset, at, e.Reason)
}
