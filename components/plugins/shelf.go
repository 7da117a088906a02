package plugins

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"weak"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/apispec"
)

// shelf keeps documents that runs have read, so that a loop does not fetch one for each item. A run never sees what
// another one has read. It is safe for concurrent use.
type shelf struct {
	mu    sync.Mutex
	kept  map[place]*apispec.Document
	order []place
}

// place is a document of a run. The request stands for the run and is not kept alive.
type place struct {
	run     weak.Pointer[component.Request]
	address string
}

// maxKept is how many documents are kept for all runs together.
const maxKept = 64

func (s *shelf) document(ctx context.Context, call *component.Call, address string) (*apispec.Document, error) {
	at := place{weak.Make(call.Request), address}
	s.mu.Lock()
	doc := s.kept[at]
	s.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	doc, err := fetch(ctx, call, address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[place]*apispec.Document{}
	}
	if s.kept[at] == nil {
		s.order = append(s.order, at)
	}
	s.kept[at] = doc
	if len(s.order) > maxKept {
		delete(s.kept, s.order[0])
		s.order = s.order[1:]
	}
	return doc, nil
}

// fetch reads a document from its address.
func fetch(ctx context.Context, call *component.Call, address string) (*apispec.Document, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "the address of the document is none")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	req.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
	status, text, err := send(call, req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fault.Newf(fault.Unavailable, "the document was answered with status %d %s", status, http.StatusText(status))
	}
	return apispec.Read(text, u)
}
