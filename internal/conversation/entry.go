package conversation

import (
	"time"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Entry is one message of the history: of the user, of the assistant, or the results of the tools that the assistant
// asked for in the entry before.
type Entry struct {
	ID      string
	Message llm.Message
	At      time.Time
	// Internal marks what the runtime said to the model in the name of the user.
	Internal bool
	// Shown is what tools showed the user directly while they were called.
	Shown string

	tokens int // 0 when they were not counted yet
}

// perMessage is what the frame of a message costs, in tokens.
const perMessage = 4

// perFile is what a file is taken for, in tokens: providers count by size and resolution, about a thousand for a picture.
const perFile = 1000

// size counts the tokens of a message.
func (c *Conversation) size(m llm.Message) int {
	n := perMessage
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			n += c.c.Tokens.Count(p.Text)
		case llm.Thinking:
			n += c.c.Tokens.Count(p.Text)
		case llm.ToolCall:
			n += perMessage + c.c.Tokens.Count(p.Name) + c.c.Tokens.Count(p.Arguments)
		case llm.ToolResult:
			n += perMessage + c.c.Tokens.Count(p.Text)
		case llm.File, llm.Image:
			n += perFile
		}
	}
	return n
}
