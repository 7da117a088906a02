package tokenfile

import (
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// content is what a file says.
type content struct {
	records []record
	torn    []string // names of lines that could not be read at all, when the file is no JSON
}

// record is one token, or what is left of one.
type record struct {
	token  account.Stored
	broken string      // why it counts for nothing, "" when it does
	name   string      // of a broken one
	raw    value.Value // of a broken one: it stays as it is
}

const (
	memberTokens = "tokens"
	memberUsed   = "used"
)

// parse reads a file. It takes what is whole and names the rest.
func parse(text []byte) *content {
	c := &content{}
	v, err := value.Decode(text, value.Limits{})
	switch list := v.Get(memberTokens); {
	case err != nil:
		c.salvage(string(text))
	case !list.IsArray():
		c.torn = append(c.torn, "the whole file")
	default:
		for i, item := range list.Items() {
			c.read(item, "record "+strconv.Itoa(i+1))
		}
	}
	c.breakTwins()
	return c
}

// salvage reads a file that is no JSON line by line.
func (c *content) salvage(text string) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if line == "" || line == head || line == tail {
			continue
		}
		name := "line " + strconv.Itoa(i+1)
		if v, err := value.Parse(line); err == nil && v.IsObject() {
			c.read(v, name)
			continue
		}
		c.torn = append(c.torn, name)
	}
	if len(c.torn) == 0 {
		c.torn = append(c.torn, "the form of the file")
	}
}

// read takes one record.
func (c *content) read(v value.Value, name string) {
	t, err := account.ParseRecord(v.Without(memberUsed))
	if err != nil {
		if id := v.GetString("id"); account.ValidTokenID(id) {
			name = id
		}
		c.records = append(c.records, record{broken: err.Error(), name: name, raw: v})
		return
	}
	if used, err := time.Parse(time.RFC3339, v.GetString(memberUsed)); err == nil {
		t.Used = used.UTC()
	}
	c.records = append(c.records, record{token: t})
}

// breakTwins refuses tokens that are there twice: one of the two may be from before it was revoked.
func (c *content) breakTwins() {
	count := make(map[string]int, len(c.records))
	for i := range c.records {
		if r := &c.records[i]; r.broken == "" {
			count[r.token.ID]++
		}
	}
	for i := range c.records {
		if r := &c.records[i]; r.broken == "" && count[r.token.ID] > 1 {
			r.broken, r.name, r.raw = "it is there more than once", r.token.ID, lineOf(&r.token)
		}
	}
}

func (c *content) tokens() []account.Stored {
	list := make([]account.Stored, 0, len(c.records))
	for i := range c.records {
		if c.records[i].broken == "" {
			list = append(list, c.records[i].token)
		}
	}
	return list
}

func (c *content) damaged() []string {
	names := c.torn
	for i := range c.records {
		if r := &c.records[i]; r.broken != "" {
			names = append(names, r.name+" ("+r.broken+")")
		}
	}
	return names
}

// find returns the record with an id, broken or not.
func (c *content) find(id string) *record {
	for i := range c.records {
		if r := &c.records[i]; r.token.ID == id && r.broken == "" || r.broken != "" && r.name == id {
			return r
		}
	}
	return nil
}

func (c *content) add(t account.Stored) { c.records = append(c.records, record{token: t}) }

// dropWorthless makes room: it takes out the oldest token that is revoked or has expired. It is false when there is none.
func (c *content) dropWorthless(now time.Time) bool {
	for i := range c.records {
		t := &c.records[i].token
		if c.records[i].broken == "" && (!t.Revoked.IsZero() || !t.Expires.IsZero() && !now.Before(t.Expires)) {
			c.records = append(c.records[:i], c.records[i+1:]...)
			return true
		}
	}
	return false
}

// The first and the last line of a file.
const (
	head = `{"` + memberTokens + `":[`
	tail = `]}`
)

// text writes the file, one record to a line.
func (c *content) text() []byte {
	out := []byte(head + "\n")
	for i := range c.records {
		r := &c.records[i]
		line := r.raw
		if r.broken == "" {
			line = lineOf(&r.token)
		}
		out = line.Append(out)
		if i < len(c.records)-1 {
			out = append(out, ',')
		}
		out = append(out, '\n')
	}
	return append(out, tail+"\n"...)
}

func lineOf(t *account.Stored) value.Value {
	v := t.Record()
	if !t.Used.IsZero() {
		v = v.With(memberUsed, value.Of(t.Used.UTC().Format(time.RFC3339)))
	}
	return v
}
