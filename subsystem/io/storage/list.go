package storage

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// MaxPage is the largest number of objects in one page of a listing.
const MaxPage = 1000

// Page says which part of a listing is wanted. The zero Page is the first one, of the largest size.
type Page struct {
	After string // Next of the page before, "" for the first
	Limit int    // at most [MaxPage]; 0 for that
}

// Listing is one page.
type Listing struct {
	Objects []Info
	Next    string // After of the next page, "" when this is the last
}

// List describes the objects whose names begin with prefix ("" for all) and that the candidate may read, and no others.
// Next is the name of an object that the candidate may read, too.
func (h *Handle) List(ctx context.Context, prefix string, p Page) (Listing, error) {
	const op = "storage.list"
	if !h.service.ready() {
		return Listing{}, h.wrap(op, prefix, errNone())
	}
	if p.Limit <= 0 || p.Limit > MaxPage {
		p.Limit = MaxPage
	}
	if err := validPrefix(prefix); err != nil {
		return Listing{}, h.wrap(op, "", err)
	}
	if p.After != "" {
		if err := ValidName(p.After); err != nil {
			return Listing{}, h.wrap(op, "", err)
		}
	}
	s := h.service
	// To ask what one may read is everybody's right; what comes out is decided object by object.
	resource := prefix + everything
	grant, err := access.Authorize[access.Read](ctx, s.guard, op, h.candidate, resource, access.NewACL().With(h.candidate, access.RightRead))
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for item, err := range s.conn.List(ctx, grant, p.After) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Listing{}, h.wrap(op, resource, err)
		}
		if _, err := access.Authorize[access.Read](ctx, s.quiet, op, h.candidate, item.Name, item.ACL); err != nil {
			if !fault.Is(err, fault.Denied) {
				return Listing{}, h.wrap(op, resource, err)
			}
			continue
		}
		if len(out.Objects) == p.Limit {
			out.Next = out.Objects[p.Limit-1].Name
			break
		}
		out.Objects = append(out.Objects, item.Info)
	}
	return out, nil
}
