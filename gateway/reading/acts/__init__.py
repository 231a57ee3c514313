"""The second reader: a small statistical model of what each sentence does, asked where the phrases leave a doubt."""
