package web

import (
	"context"
	"encoding/binary"
	"net/url"
	"strings"

	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/value"
)

// proxy lets the request go through one of the proxies that the author lists, one a line.
func (t *texts) proxy(ctx context.Context, list string) (context.Context, error) {
	if plain, err := url.PathUnescape(list); err == nil {
		list = plain
	}
	list, err := t.fill(ctx, list)
	if err != nil {
		return nil, err
	}
	var proxies []string
	for line := range strings.SplitSeq(strings.ReplaceAll(list, `\n`, "\n"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			proxies = append(proxies, line)
		}
	}
	if len(proxies) == 0 {
		return ctx, nil
	}
	picked := proxies[0]
	if n := len(proxies); n > 1 {
		var random [8]byte
		t.call.Effects.Random(random[:])
		picked = proxies[binary.BigEndian.Uint64(random[:])%uint64(n)]
	}
	u, err := url.Parse(picked)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errURL()
	}
	t.call.LogDebug("Proxy:", value.Of(u.Redacted()).JSON())
	// The door reads the address here and now, so a key of the vault is put in here: into the user of a proxy that it
	// may go to, and nowhere else.
	if u.User != nil && t.slots.Holds(u.User.String()) {
		if u.User, err = t.credentials(u.User, u.Hostname()); err != nil {
			return nil, err
		}
	}
	return egress.WithProxy(ctx, u.String())
}

// credentials puts keys of the vault into the user of a proxy.
func (t *texts) credentials(user *url.Userinfo, host string) (*url.Userinfo, error) {
	name, err := t.slots.Fill(user.Username(), host, nil)
	if err != nil {
		return nil, err
	}
	given, ok := user.Password()
	if !ok {
		return url.User(name), nil
	}
	password, err := t.slots.Fill(given, host, nil)
	return url.UserPassword(name, password), err
}
