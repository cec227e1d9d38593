from skembed.text import TextAnalysis, tokenize


def test_all_words_of_texts_and_lists_are_given_in_order():
    documents = ["to be, or", ["not", "to be", ""], (), "", "be"]
    expected = [["to", "be", "or"], ["not", "to be", ""], [], [], ["be"]]
    assert tokenize(iter(documents), TextAnalysis()) == expected


def test_short_words_are_left_out_of_texts_but_not_of_lists():
    analysis = TextAnalysis(min_chars=3)
    assert tokenize(["a bb ccc dddd", ["a"]], analysis) == [["ccc", "dddd"], ["a"]]
