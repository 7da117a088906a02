package testmodel

import "strings"

// dice are numbers that look like chance and are the same for the same seed.
type dice uint64

// cast returns dice for one request and one use of it.
func cast(seed uint64, request, use int) dice {
	return dice(seed ^ uint64(request)<<32 ^ uint64(use+1)) // numbers of requests and rules are small
}

// next returns a number below 1.
func (d *dice) next() float64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// lucky reports whether chance lets a rule answer a request.
func (r rule) lucky(seed uint64, request, index int) bool {
	if r.chance >= 1 {
		return true
	}
	d := cast(seed, request, index)
	return d.next() < r.chance
}

const vocabulary = "the agent reads a file and tells what it found in it before lunch because somebody asked for numbers that nobody had counted yet"

// write returns a text of n words.
func write(seed uint64, request, n int) string {
	words := strings.Fields(vocabulary)
	d := cast(seed, request, -1)
	var b strings.Builder
	for i := range min(n, maxWords) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[int(d.next()*float64(len(words)))])
	}
	return b.String()
}
