package audit

import (
	"strconv"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// head names the last record that is known to be on the disk. It lies in a file of its own, so that records that are cut
// off at the end are missed: the chain alone cannot tell.
type head struct {
	seq  uint64
	hash string
}

func (h head) text() []byte {
	return []byte(`{"seq":` + strconv.FormatUint(h.seq, 10) + `,"hash":"` + h.hash + "\"}\n")
}

// readHead returns the head; [fault.NotFound] when there is none.
func readHead(s store) (head, error) {
	text, err := s.read(headFile, maxLine)
	if err != nil {
		return head{}, err
	}
	v, err := value.Decode(text, value.DefaultLimits())
	seq, ok := v.Get("seq").Num()
	hash, ok2 := v.Get("hash").Str()
	if err != nil || !ok || !ok2 || seq < 0 || len(hash) != len(zero) {
		return head{}, fault.Newf(fault.Invalid, "%s is damaged", headFile)
	}
	return head{uint64(seq), hash}, nil
}

// writeHead keeps the head unless a later one is kept already. Somebody who writes one at the same time writes one that
// is as good.
func writeHead(s store, h head) error {
	unlock, err := s.lock(headLock)
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }() // closing a file that holds nothing
	if now, err := readHead(s); err == nil && now.seq >= h.seq {
		return nil
	}
	return s.replace(headFile, h.text())
}
