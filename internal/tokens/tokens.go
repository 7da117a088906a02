// Package tokens counts the tokens of texts.
//
// Each provider cuts texts in its own way and few publish it; the encoding of OpenAI's newer models (o200k) is near enough
// to the others to decide what still fits into a window. What a call really used is told by the provider.
package tokens

import (
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Counter counts tokens. Its tables are read with the first text, which takes a tenth of a second. It is safe for
// concurrent use; make one for a runtime.
type Counter struct {
	once  sync.Once
	codec *codec.Codec
}

// exact is the length up to which a text is really counted, in bytes. A longer one is counted by its beginning: that is
// near enough, and a hostile text cannot make counting slow.
const exact = 16 << 10

// Count returns how many tokens a text has, about.
func (c *Counter) Count(text string) int {
	if text == "" {
		return 0
	}
	c.once.Do(func() { c.codec = codec.NewO200kBase() })
	sample := text
	if len(sample) > exact {
		sample = sample[:exact]
	}
	n, err := c.codec.Count(sample)
	if err != nil {
		n = len(sample)/4 + 1 // a token has four bytes or so
	}
	if len(sample) < len(text) {
		n = int(float64(n) / float64(len(sample)) * float64(len(text)))
	}
	return n
}
