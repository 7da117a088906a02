package llm

import (
	"iter"
	"strings"
)

// Response is a whole answer.
type Response struct {
	Text string
	// Pieces is the text cut so that what the provider signed stands by itself, nil when it signed nothing of it.
	Pieces   []Text
	Thinking []Thinking
	Calls    []ToolCall
	Images   []Image
	Usage    Usage
	Finish   Finish
}

// Collect reads a stream to its end. When it ends with an error, the response holds what came before.
func Collect(parts iter.Seq2[Part, error]) (*Response, error) {
	var (
		r       Response
		text    strings.Builder
		thought strings.Builder
		single  = true // the text came as one piece
		length  int    // of the text
		proofs  []proof
		failure error
	)
	for p, err := range parts {
		if err != nil {
			failure = err
			break
		}
		switch p := p.(type) {
		case Text:
			if length += len(p.Text); p.Signature != "" {
				proofs = append(proofs, proof{length - len(p.Text), length, p.Signature})
			}
			if single && r.Text == "" && text.Len() == 0 {
				r.Text = p.Text // as it is, without a copy
				continue
			}
			if single {
				single = false
				text.WriteString(r.Text)
			}
			text.WriteString(p.Text)
		case Thinking:
			thought.WriteString(p.Text)
			if p.Signature != "" || p.Sealed != nil {
				r.Thinking = append(r.Thinking, Thinking{thought.String(), p.Signature, p.Sealed})
				thought.Reset()
			}
		case ToolCall:
			r.Calls = append(r.Calls, p)
		case Image:
			r.Images = append(r.Images, p)
		case Usage:
			r.Usage = p
		case Finish:
			r.Finish = p
		}
	}
	if !single {
		r.Text = text.String()
	}
	r.Pieces = cut(r.Text, proofs)
	if thought.Len() > 0 {
		r.Thinking = append(r.Thinking, Thinking{Text: thought.String()})
	}
	return &r, failure
}

// proof is a signature and the bytes of the text that it came with.
type proof struct {
	from, to  int
	signature string
}

// cut cuts a text around what was signed.
func cut(text string, proofs []proof) []Text {
	if proofs == nil {
		return nil
	}
	var out []Text
	at := 0
	for _, p := range proofs {
		if p.from > at {
			out = append(out, Text{Text: text[at:p.from]})
		}
		out = append(out, Text{Text: text[p.from:p.to], Signature: p.signature})
		at = p.to
	}
	if at < len(text) {
		out = append(out, Text{Text: text[at:]})
	}
	return out
}

// Message returns the answer as a message of the assistant, to go on with.
func (r *Response) Message() Message {
	m := Message{Role: Assistant}
	for _, t := range r.Thinking {
		m.Content = append(m.Content, t)
	}
	for _, t := range r.Pieces {
		m.Content = append(m.Content, t)
	}
	if r.Text != "" && r.Pieces == nil {
		m.Content = append(m.Content, Text{Text: r.Text})
	}
	for _, i := range r.Images {
		m.Content = append(m.Content, i)
	}
	for _, c := range r.Calls {
		m.Content = append(m.Content, c)
	}
	return m
}
