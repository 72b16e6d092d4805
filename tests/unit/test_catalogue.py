"""The catalogue holds the whole vocabulary that the source documents name, and nothing that contradicts itself."""

import pytest

from pipeline.catalogue import catalogue

STAGES = ["awareness", "consideration", "purchase", "delivery", "service", "loyalty"]
MEDIA = {"digital", "human", "physical"}
RELATIONSHIPS = {"personal", "dedicated", "self_service", "automated", "community", "co_creation"}
CHANNELS = {
    "web": (
        "digital self_service",
        "page_view landing_page product_view search content_view cart_add cart_abandon checkout_start checkout_error "
        "payment purchase form_submit account_page cancel_page",
    ),
    "mobile_app": (
        "digital self_service",
        "app_open screen_view push_open cart_add purchase app_crash feature_used uninstall",
    ),
    "email": (
        "digital automated",
        "sent delivered open click bounce unsubscribe spam_report inquiry complaint reply newsletter reminder",
    ),
    "phone": (
        "human personal",
        "inbound_call outbound_call order_support inquiry complaint voicemail call_abandon callback",
    ),
    "live_chat": ("human personal", "chat_start chat_message chat_end chat_handover chat_abandon"),
    "social": ("digital community", "mention comment direct_message review complaint share ad_comment"),
    "in_store": ("physical personal", "visit product_demo assistance purchase return service_desk appointment"),
    "self_service": ("digital self_service", "faq_view kb_article kb_search ivr chatbot_session ivr_abandon"),
    "survey": ("digital automated", "nps csat ces post_purchase_survey feedback_request feedback"),
    "community": ("digital community", "post reply question solution_accepted idea moderation"),
    "helpdesk": (
        "human personal",
        "ticket_opened ticket_reply ticket_escalated ticket_resolved ticket_reopened supervisor_involved",
    ),
    "subscription": (
        "digital automated",
        "trial_start onboarding_step activated upgrade downgrade renewal renewal_due invoice payment_failed "
        "billing_inquiry plan_change cancel_request cancelled account_update",
    ),
    "delivery": (
        "physical automated",
        "order_confirmed shipped out_for_delivery delivered delayed damaged lost return_received",
    ),
    "advertising": ("digital automated", "impression ad_click video_view popup_view lead"),
    "link": ("digital automated", "link_click qr_scan"),
    "event": ("human dedicated", "webinar_registered webinar_attended seminar customer_event no_show"),
    "sales": ("human dedicated", "initial_contact sales_call meeting demo proposal negotiation deal_won deal_lost"),
    "loyalty": (
        "digital automated",
        "points_earned points_redeemed referral recommendation_shown recommendation_click offer_sent offer_redeemed",
    ),
}
OUTBOUND = {
    "email": "sent delivered bounce newsletter reminder",
    "phone": "outbound_call callback",
    "survey": "feedback_request",
    "subscription": "renewal_due invoice payment_failed",
    "delivery": "order_confirmed shipped out_for_delivery delivered delayed damaged lost",
    "advertising": "impression popup_view",
    "sales": "proposal",
    "loyalty": "recommendation_shown offer_sent points_earned",
    "helpdesk": "ticket_reply ticket_resolved",
}


def test_the_stages_are_those_of_the_sources_in_their_order():
    assert list(catalogue().stages) == STAGES
    assert all(stage.also and stage.question.endswith("?") for stage in catalogue().stages.values())


def test_no_channel_is_missing_or_made_up():
    assert set(catalogue().channels) == set(CHANNELS)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_as_the_sources_have_it(name):
    channel = catalogue().channels[name]
    kind, touchpoints = CHANNELS[name]
    assert f"{channel.medium} {channel.relationship}" == kind
    assert set(channel.touchpoints) == set(touchpoints.split())
    outbound = {what for what, defaults in channel.touchpoints.items() if defaults.direction == "outbound"}
    assert outbound == set(OUTBOUND.get(name, "").split())


def test_every_default_lies_within_the_vocabulary():
    for channel, _, defaults in catalogue().rows():
        assert channel.medium in MEDIA
        assert channel.relationship in RELATIONSHIPS
        assert channel.ownership in {"owned", "partner"}
        assert channel.reach in {"direct", "indirect"}
        assert channel.cost_per_touch >= 0
        assert defaults.stage in STAGES
        assert defaults.direction in {"inbound", "outbound"}


def test_every_stage_is_reached_by_some_touchpoint():
    assert {defaults.stage for _, _, defaults in catalogue().rows()} == set(STAGES)


def test_an_own_touchpoint_is_taken_and_an_unknown_one_is_not():
    web = catalogue().channels["web"]
    assert web.defaults("x_configurator") == ("service", "inbound")
    assert web.defaults("configurator") is None
    assert web.defaults("purchase") == ("purchase", "inbound")


def test_a_misspelt_name_is_offered_the_nearest():
    assert catalogue().nearest_channels("e-mail") == ["email"]
    assert catalogue().nearest_touchpoints("web", "pageview")[0] == "page_view"
    assert "phone.complaint" in catalogue().nearest_touchpoints("delivery", "complaint")
    assert len(catalogue().nearest_touchpoints("web", "complaint")) <= 3
