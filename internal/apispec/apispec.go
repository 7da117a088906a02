// Package apispec reads the OpenAPI documents of other people's services and makes the requests that they describe.
//
// A document comes from a server that nobody vouches for. It is read once, with bounds on everything in it, into
// operations that a model can be shown as tools: a name, a description and a schema of arguments. References are
// followed inside of the document only, and one that leads back to itself ends. What an operation sends is made of
// declared parameters, each in its place: nothing that is put into a path can leave its segment.
package apispec

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

// Document is what an OpenAPI document says, as far as tools need it. It is immutable.
type Document struct {
	Title       string
	Description string
	Operations  []Operation
}

// Bounds of a document. Sizes are in characters.
const (
	maxOperations  = 500
	maxName        = 64
	maxDescription = 4 << 10
	maxTitle       = 200
)

// isMethod tells the operations of a path from its other members.
func isMethod(name string) bool {
	switch name {
	case "get", "put", "post", "delete", "patch", "head", "options":
		return true
	}
	return false
}

// Read reads a document in JSON or YAML that was found at an address. Operations that need something else than a JSON
// object or a form as body are left out. Faults are [fault.Invalid] and [fault.Limit].
func Read(text []byte, from *url.URL) (*Document, error) {
	root, err := decode(text)
	if err != nil {
		return nil, err
	}
	if !root.IsObject() || !root.Get("paths").IsObject() {
		err := fault.Newf(fault.Invalid, "it is no OpenAPI document: it has no paths")
		return nil, fault.Hint(err, "give the address of the document itself, not of a page that shows it")
	}
	r := &reader{root: root, from: from, left: maxExpanded, taken: map[string]bool{}}
	doc := &Document{Title: untrusted.Text(root.Get("info").GetString("title"), maxTitle), Description: untrusted.Text(root.Get("info").GetString("description"), maxDescription)}
	for _, path := range root.Get("paths").Members() {
		item := r.follow(path.Value)
		for _, m := range item.Members() {
			if !isMethod(m.Key) || !m.Value.IsObject() {
				continue
			}
			op, ok, err := r.operation(path.Key, m.Key, item, m.Value)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", strings.ToUpper(m.Key), path.Key, err)
			}
			if !ok {
				continue
			}
			if doc.Operations = append(doc.Operations, op); len(doc.Operations) > maxOperations {
				return nil, fault.Limitf("operations", "LIMIT_EXCEEDED(operations): the document has more than %d operations", maxOperations)
			}
		}
	}
	return doc, nil
}

// decode reads JSON, or YAML when the text is none.
func decode(text []byte) (value.Value, error) {
	v, err := value.Decode(text, value.DefaultLimits())
	if err == nil || fault.Is(err, fault.Limit) {
		return v, err
	}
	if start := strings.TrimLeft(string(text[:min(len(text), 64)]), "\ufeff \t\r\n"); start == "" || strings.ContainsAny(start[:1], "{[<\"") {
		return value.Value{}, fault.Newf(fault.Invalid, "it is no OpenAPI document: %w", err)
	}
	return decodeYAML(text)
}

// reader reads one document.
type reader struct {
	root  value.Value
	from  *url.URL
	left  int             // values that may still be made by following references
	taken map[string]bool // names of operations
}
