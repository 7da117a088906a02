package web

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/internal/smythfs"
)

// publish replaces stored files in the query of an address by public addresses, so that a service can fetch them. They
// end with the call: release ends them, also after an error.
func (t *texts) publish(ctx context.Context, u *url.URL) (release func(), err error) {
	maker := publicfile.Maker{Scope: t.call.Scope, Effects: t.call.Effects}
	var made []string
	release = func() {
		ctx := context.WithoutCancel(ctx)
		var errs []error
		for _, address := range made {
			errs = append(errs, maker.Destroy(ctx, address))
		}
		if err := errors.Join(errs...); err != nil {
			t.call.LogError("temporary addresses end by themselves within an hour:", err.Error())
		}
	}
	if !strings.Contains(u.RawQuery, "smythfs") {
		return release, nil
	}
	fields := strings.Split(u.RawQuery, "&")
	for i, field := range fields {
		name, v, ok := strings.Cut(field, "=")
		plain, err := url.QueryUnescape(v)
		if !ok || err != nil || !smythfs.Is(plain) {
			continue
		}
		file, err := smythfs.Parse(plain)
		if err != nil {
			return release, err
		}
		address, err := maker.Temporary(ctx, file, 0)
		if err != nil {
			return release, err
		}
		made = append(made, address)
		fields[i] = name + "=" + url.QueryEscape(address)
	}
	u.RawQuery = strings.Join(fields, "&")
	return release, nil
}
