package models

import "github.com/sre-go/sre/value"

// Prices are what a model costs, in US dollars. They are of the day that the entry names, and what a provider bills is
// what the provider says.
type Prices struct {
	Known bool
	// For a million tokens, which is the same as millionths of a dollar for a token.
	Input, CacheRead, CacheWrite, Output float64
	Image, Search                        float64 // for each one
}

// pricesOf reads {input, output, cacheRead, cacheWrite, image, search} of an entry. What the cache costs is that of the
// input when the entry does not tell.
func pricesOf(v value.Value) Prices {
	if !v.IsObject() {
		return Prices{}
	}
	p := Prices{Known: true}
	read := func(name string, to *float64, otherwise float64) {
		n, ok := v.Get(name).Num()
		if !ok || !(n >= 0 && n < 1e9) {
			n = otherwise
		}
		*to = n
	}
	read("input", &p.Input, 0)
	read("output", &p.Output, 0)
	read("cacheRead", &p.CacheRead, p.Input)
	read("cacheWrite", &p.CacheWrite, p.Input)
	read("image", &p.Image, 0)
	read("search", &p.Search, 0)
	return p
}

// dearer returns the higher price of each kind.
func (p Prices) dearer(q Prices) Prices {
	return Prices{
		Known: p.Known || q.Known, Input: max(p.Input, q.Input), CacheRead: max(p.CacheRead, q.CacheRead), CacheWrite: max(p.CacheWrite, q.CacheWrite),
		Output: max(p.Output, q.Output), Image: max(p.Image, q.Image), Search: max(p.Search, q.Search),
	}
}
